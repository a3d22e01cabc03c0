# front.sh - renders the web servers' configurations and says how each is started.
# Uses: deploy_dir, run_dir, bin_dir.

# render TEMPLATE NAME=VALUE... : the template with every @NAME@ replaced.
render() {
	local template=$1 text pair
	shift
	text=$(cat "$template"; printf .)
	text=${text%.}
	for pair in "$@"; do
		text=${text//"@${pair%%=*}@"/"${pair#*=}"}
	done
	printf '%s' "$text"
}

# For use inside a regular expression: names hold no other special character than the dot.
quoted() {
	printf '%s' "${1//./\\.}"
}

# render_each TEMPLATE : once per repository, in order.
render_each() {
	local template=$1 i all=""
	for i in "${!repos[@]}"; do
		all+=$(render "$template" "OWNER=$(quoted "${repos[$i]%%/*}")" "REPO=$(quoted "${repos[$i]#*/}")" \
			"NAME=repo$i" "SOCKET=$(front_socket "$i")" "SNAPSHOT=$state_dir/snapshot/${repos[$i]}" \
			"BIN=$bin_dir" "RUN=$run_dir" "DEPLOY=$deploy_dir")
		all+=$'\n'
	done
	printf '%s' "$all"
}

front_socket() {
	case $front in
	nginx) printf 'unix:%s/fcgi-%s.sock' "$run_dir" "$1" ;;
	*) printf '%s/fcgi-%s.sock' "$run_dir" "$1" ;;
	esac
}

front_packages() {
	case $front in
	nginx) echo nginx-light ;;
	lighttpd) echo lighttpd lighttpd-mod-deflate ;;
	apache) echo apache2 ;;
	esac
}

# write_front_config : into $run_dir/front.conf.
write_front_config() {
	local common=("PORT=$port" "RUN=$run_dir")
	mkdir -p "$run_dir/www"
	case $front in
	nginx)
		render "$deploy_dir/nginx/nginx.conf.in" "${common[@]}" \
			"UPSTREAMS=$(render_each "$deploy_dir/nginx/upstream.conf.in")" \
			"LOCATIONS=$(render_each "$deploy_dir/nginx/location.conf.in")"
		;;
	lighttpd)
		render "$deploy_dir/lighttpd/lighttpd.conf.in" "${common[@]}" \
			"BACKENDS=$(render_each "$deploy_dir/lighttpd/backend.conf.in")"
		;;
	apache)
		render "$deploy_dir/apache/apache.conf.in" "${common[@]}" \
			"BACKENDS=$(render_each "$deploy_dir/apache/proxy.conf.in")"
		;;
	esac >"$run_dir/front.conf"
}

front_command() {
	case $front in
	nginx) echo "nginx -e stderr -c $run_dir/front.conf" ;;
	lighttpd) echo "lighttpd -D -f $run_dir/front.conf" ;;
	apache) echo "apache2 -D FOREGROUND -f $run_dir/front.conf" ;;
	esac
}
