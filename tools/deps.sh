# Sourced by run and test: installs what is missing from Debian 12. need PACKAGE… installs all of them at once.
need() {
  local missing=() p
  for p in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "缺少软件包，请以 root 安装 / missing packages, install as root: ${missing[*]}" >&2; exit 1; }
    sudo=sudo
  fi
  echo "安装 / installing: ${missing[*]}"
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Node 18 or newer may come from elsewhere; only then is Debian's not needed.
need_node() {
  if command -v node >/dev/null && command -v npm >/dev/null &&
     [ "$(node -p 'process.versions.node.split(".")[0] >= 18')" = true ]; then return 0; fi
  need nodejs npm
}

BUILD_PACKAGES=(gcc make libc6-dev libmicrohttpd-dev libyaml-dev libjansson-dev libsqlite3-dev libargon2-dev libseccomp-dev libssl-dev libexif-dev libcurl4-openssl-dev libldap-dev ca-certificates)
# documents and spreadsheets: written, and read (libzip, expat)
BUILD_PACKAGES+=(pkg-config libxlsxwriter-dev libzip-dev zlib1g-dev libexpat1-dev libcairo2-dev libpango1.0-dev libqrencode-dev libqpdf-dev fonts-noto-cjk)

# npm ci only when the lock file changed; the stamp lies in node_modules.
npm_install() { # npm_install DIR
  local sum; sum=$(cksum < "$1/package-lock.json")
  [ "$(cat "$1/node_modules/.anlan-lock" 2>/dev/null)" = "$sum" ] && return 0
  (cd "$1" && npm ci --no-audit --no-fund --loglevel=error)
  echo "$sum" > "$1/node_modules/.anlan-lock"
}

# The browser application is built beside the program: its tools use one processor.
build_all() {
  build_ui & local ui=$!
  make -s -j"$(nproc)" all || { wait $ui; return 1; }
  wait $ui
}

build_ui() {
  local stamp=build/ui/.built
  if [ ! -f "$stamp" ] || [ -n "$(find ui -path ui/node_modules -prune -o -type f -newer "$stamp" -print -quit)" ]; then
    npm_install ui
    (cd ui && npm run --silent build)
    find build/ui -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' \) -exec gzip -9 -k -f {} +
    touch "$stamp"
  fi
}
