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

# The router's socket as the server's configuration spells it.
front_socket() {
	case $front in
	nginx) printf 'unix:%s/router.sock' "$run_dir" ;;
	*) printf '%s/router.sock' "$run_dir" ;;
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
	local common=("PORT=$port" "RUN=$run_dir") socket
	socket=SOCKET=$(front_socket)
	mkdir -p "$run_dir/www"
	case $front in
	nginx)
		render "$deploy_dir/nginx/nginx.conf.in" "${common[@]}" \
			"UPSTREAMS=$(render "$deploy_dir/nginx/router-upstream.conf.in" "$socket")" \
			"LOCATIONS=$(render "$deploy_dir/nginx/router-location.conf.in" "DEPLOY=$deploy_dir")"
		;;
	lighttpd)
		render "$deploy_dir/lighttpd/lighttpd.conf.in" "${common[@]}" \
			"BACKENDS=$(render "$deploy_dir/lighttpd/router.conf.in" "$socket")"
		;;
	apache)
		render "$deploy_dir/apache/apache.conf.in" "${common[@]}" \
			"BACKENDS=$(render "$deploy_dir/apache/router.conf.in" "$socket")"
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
