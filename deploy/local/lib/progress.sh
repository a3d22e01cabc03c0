# progress.sh - what the sync daemons say of themselves, as a line for people.
# Uses: bin_dir, run_dir, state_dir, repos, shas.

# metric_of TEXT NAME : the value of a metric, 0 if it is not there.
metric_of() {
	local line
	while read -r line; do
		case $line in
		"$2 "*) printf '%s' "${line##* }" && return ;;
		esac
	done <<<"$1"
	printf 0
}

sync_metrics() {
	"$bin_dir/maint-probe" "unix:$run_dir/s-${shas[$1]}.sock" --path /metrics --verbose --timeout 2 2>/dev/null
}

# eta DONE EXPECTED ELAPSED : "about 2m10s", or nothing while it cannot be told.
eta() {
	local left
	[ "$1" -gt 0 ] && [ "$2" -gt "$1" ] && [ "$3" -ge 2 ] || return 0
	left=$((($2 - $1) * $3 / $1))
	printf ', about %dm%02ds left' $((left / 60)) $((left % 60))
}

# progress_line ELAPSED : sums over all repositories; sets all_complete.
progress_line() {
	local i m issues=0 comments=0 requests=0 done=0 expected=0 rate=-1 r complete=0
	for i in "${!repos[@]}"; do
		m=$(sync_metrics "$i") || m=""
		[ "$(metric_of "$m" maintner_sync_complete)" = 1 ] && complete=$((complete + 1))
		for r in issues comments reviews; do
			done=$((done + $(metric_of "$m" "maintner_sync_objects{family=\"$r\"}")))
			expected=$((expected + $(metric_of "$m" "maintner_sync_objects_expected{family=\"$r\"}")))
		done
		issues=$((issues + $(metric_of "$m" 'maintner_sync_objects{family="issues"}')))
		comments=$((comments + $(metric_of "$m" 'maintner_sync_objects{family="comments"}')))
		requests=$((requests + $(metric_of "$m" maintner_sync_github_requests_total)))
		r=$(metric_of "$m" 'maintner_sync_github_rate_remaining{resource="core"}')
		[ "$r" -ge 0 ] && [ -n "$m" ] && rate=$r
	done
	all_complete=$((complete == ${#repos[@]}))
	[ "$rate" -ge 0 ] && rate=", $rate left of the rate limit" || rate=""
	[ "$all_complete" -eq 0 ] || expected=$done # GitHub counts more than it shows
	printf -v progress_text '%d of %d repositories complete: %d issues, %d comments, %d requests%s%s' \
		"$complete" "${#repos[@]}" "$issues" "$comments" "$requests" "$rate" "$(eta "$done" "$expected" "$1")"
}

# show_trouble : the newest warning of each sync daemon, once.  Why nothing comes should not
# have to be looked for in a log.
trouble_told=()
show_trouble() {
	local i line text='"((\\.|[^"\\])*)"'
	for i in "${!repos[@]}"; do
		line=$(grep -E '"severity":"(WARNING|ERROR)"' "$state_dir/sync-$i.log" | tail -n 1 |
			sed -E "s/.*\"message\":$text.*\"error\":$text.*/\1: \3/; s/^\{.*\"message\":$text.*/\1/")
		if [ "$line" != "${trouble_told[$i]:-}" ]; then
			trouble_told[i]=$line
			[ -t 2 ] && printf '\r\033[K' >&2
			echo "${repos[$i]}: $line" >&2
		fi
	done
}
