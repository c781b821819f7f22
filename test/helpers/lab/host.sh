# PID 1 of a private host: host.sh VIEW REPO NODE. Made by host.ts with mount, pid, net and ipc namespaces of its own.
# What a container runtime or orphand writes by default (/run, /var/lib, /etc, /home) lands in memory and goes with it.
set -e
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/user /run/lab/repo /run/lab/layers
touch /run/lab/node
# A clone below /root can't be reached by another user; a bind mount can.
mount --bind "$2" /run/lab/repo
mount --bind "$3" /run/lab/node
for folder in /etc /var/lib; do
  layer=/run/lab/layers/$(basename "$folder")
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay overlay -o "lowerdir=$folder,upperdir=$layer/upper,workdir=$layer/work" "$folder"
done
# Not on the overlay: container stores are overlays themselves.
mkdir -p /var/lib/containers /var/lib/docker
for folder in /var/lib/containers /var/lib/docker /home; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
if [ "$1" = v2 ]; then
  umount -R /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
# As systemd does it; rootless podman asks for it.
mount --make-rshared /
echo ready
# bash reaps what is reparented to it, as an init does. When the test's end closes this pipe, the kernel ends the rest.
while read -r _; do :; done
