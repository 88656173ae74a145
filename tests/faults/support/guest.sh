#!/usr/bin/env bash
# Makes what a virtual machine boots from: guest.sh DIRECTORY PROGRAM leaves DIRECTORY/vmlinuz and
# DIRECTORY/initramfs. The kernel comes from a Debian package that is unpacked there and not
# installed; the memory file system holds busybox, the drivers of the disk, and PROGRAM with its
# libraries. Says what is missing on standard error.
set -euo pipefail

directory=$1 program=$2
mkdir -p "$directory"
cd "$directory"

fail() {
    echo "$*" >&2
    exit 1
}

busybox=$(command -v busybox) || fail "no busybox"
command -v cpio >/dev/null || fail "no cpio"

unpack_kernel() {
    command -v apt-get >/dev/null || fail "no kernel package: no apt-get"
    local package
    package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        awk '/Depends: linux-image/ { print $2; exit }')
    [[ $package ]] || fail "no kernel package: apt-get update has not run"
    rm -rf unpacked
    mkdir unpacked
    (cd unpacked && apt-get download -q "$package" >/dev/null 2>&1) ||
        fail "the kernel package cannot be downloaded"
    dpkg-deb -x unpacked/*.deb unpacked
    rm unpacked/*.deb
    cp unpacked/boot/vmlinuz-* vmlinuz.new
    mv vmlinuz.new vmlinuz
}

[[ -f vmlinuz && -d unpacked/lib/modules ]] || unpack_kernel

rm -rf root
mkdir -p root/{bin,dev,proc,sys,disk,modules}
cp "$busybox" root/bin/busybox
# In the order in which they are loaded.
number=10
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
    found=$(find unpacked/lib/modules -name "$module.ko*" | head -n 1)
    [[ $found ]] || continue # built in
    cp "$found" "root/modules/$number-${found##*/}"
    number=$((number + 1))
done
cp "$program" root/bin/writer
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "root/$(dirname "$library")"
    cp -L "$library" "root/$library"
done

cat >root/init <<'END'
#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t devtmpfs none /dev
$busybox mount -t proc none /proc
$busybox mount -t sysfs none /sys
for module in /modules/*; do
    $busybox insmod "$module"
done
$busybox mount -t ext4 /dev/vda /disk || echo "! the disk cannot be mounted"
seed=$($busybox sed 's/.*pawl.seed=\([0-9]*\).*/\1/' /proc/cmdline)
/bin/writer guest /disk/journal "$seed" >/dev/ttyS0 2>&1 </dev/null
echo "! the writer ended"
exec $busybox sleep 1000
END
chmod +x root/init
(cd root && find . | cpio --quiet -o -H newc -R 0:0) >initramfs.new
mv initramfs.new initramfs
