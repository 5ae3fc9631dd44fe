#!/bin/sh
# Makes this checkout ready: `deploy/setup.sh run` or `deploy/setup.sh test`. Each step is skipped when it is done, and
# what was begun goes on where it stopped. Nothing outside the checkout changes but for Debian packages that are missing.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
purpose=${1:-run}
log=var/setup.log

stop() {
    echo "setup: $*" >&2
    exit 1
}

# Only one set-up at a time; the second waits for the first and then finds everything done.
alone() {
    mkdir -p var
    exec 9>var/setup.lock
    if command -v flock >/dev/null && ! flock -w 1800 9; then
        stop "another set-up of this checkout has been going on for half an hour; stop it and run this again"
    fi
}

need_python() {
    command -v python3 >/dev/null || stop "Python 3.11 or later is missing; run: apt-get install python3 python3-venv"
    version=$(python3 -c 'import platform; print(platform.python_version())')
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        stop "Python 3.11 or later is needed, but python3 is $version"
}

# The Debian packages that are missing here for what is to be done.
missing_packages() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    command -v espeak-ng >/dev/null || echo espeak-ng
    if [ "$purpose" = test ]; then
        command -v sipp >/dev/null || echo sip-tester
        ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || echo postgresql
    fi
}

install_packages() {
    packages=$(missing_packages | tr '\n' ' ')
    packages=${packages% }
    [ -n "$packages" ] || return 0
    command -v apt-get >/dev/null || stop "these are missing, and there is no apt-get to install them with: $packages"
    root=""
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || stop "some packages are missing; as root, run: apt-get install $packages"
        root="sudo -n"
    fi
    echo "installing $packages"
    case " $packages " in
    *" postgresql "*)
        # The tests run a PostgreSQL of their own: the package shall not start another one.
        if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
            $root mkdir -p /etc/postgresql-common
            echo "create_main_cluster = false" | $root tee /etc/postgresql-common/createcluster.conf >/dev/null
        fi
        ;;
    esac
    # shellcheck disable=SC2086 # both are lists of words
    if ! { $root apt-get -q update && $root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
        apt-get -q -y --no-install-recommends install $packages; } >>"$log" 2>&1; then
        stop "apt-get could not install $packages; see $log, check the network, and run this again"
    fi
}

# The virtual environment, exactly as requirements.lock says; the checkout itself is put on its path.
make_environment() {
    recipe="$(cat requirements.lock deploy/setup.sh | cksum) $version $here"
    [ "$(cat .venv/complete 2>/dev/null)" = "$recipe" ] && return 0
    echo "installing the Python packages (once, a minute)"
    rm -f .venv/complete
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1 ||
        [ "$(.venv/bin/python -c 'import platform; print(platform.python_version())')" != "$version" ]; then
        python3 -m venv --clear .venv >>"$log" 2>&1 || stop "a virtual environment cannot be made; see $log"
    fi
    .venv/bin/python -m pip install -q --disable-pip-version-check --retries 2 --timeout 20 \
        --require-hashes -r requirements.lock >>"$log" 2>&1 ||
        stop "the Python packages could not be installed; see $log, check the network, and run this again"
    packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$here" >"$packages/klantlijn.pth"
    cat >.venv/bin/ivr <<EOF
#!/bin/sh
exec "$here/.venv/bin/python" -c 'from ivr.cli.main import main; main(prog_name="ivr")' "\$@"
EOF
    chmod +x .venv/bin/ivr
    echo "$recipe" >.venv/complete
}

alone
need_python
install_packages
make_environment
.venv/bin/python -m deploy.asterisk setup
if [ "$purpose" = test ]; then
    .venv/bin/python -m deploy.crm make
fi
