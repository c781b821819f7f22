# base.sh FOLDER SUITE PACKAGES: makes sure that FOLDER holds a Debian root with systemd, podman and PACKAGES, from this
# machine's mirror. Once per machine: about a minute, then it is reused, never written to.
set -eu
folder=$1
suite=$2
packages=$3
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
[ -e "$folder/etc/os-release" ] && exit 0
sources=/etc/apt/sources.list.d/debian.sources
if [ -e "$sources" ]; then
  mirror=$(sed -n 's/^URIs: *//p' "$sources" | head -n 1)
else
  mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\?\(http[^ ]*\) .*/\2/p' /etc/apt/sources.list | head -n 1)
fi
rm -rf "$folder.part"
debootstrap --variant=minbase --include="$packages" "$suite" "$folder.part" "$mirror" >"$folder.log" 2>&1 || {
  tail -n 20 "$folder.log" >&2
  exit 1
}
mv "$folder.part" "$folder"
