#include "store/remote_file_system.hpp"

#include <algorithm>
#include <array>

namespace pawl::detail {

namespace {

struct kind {
    std::uint32_t type;
    std::string_view name;
};

constexpr std::array kinds{
    kind{0x6969, "NFS"},
    kind{0x517b, "SMB"},
    kind{0xff534d42, "CIFS"},
    kind{0xfe534d42, "SMB2"},
    kind{0x00c36400, "Ceph"},
    kind{0x5346414f, "AFS"},
    kind{0x6b414653, "kAFS"},
    kind{0x01021997, "9P"},
    kind{0x0bd00bd0, "Lustre"},
    kind{0x73757245, "Coda"},
    kind{0x564c, "NCP"},
    kind{0x01161970, "GFS2"},
    kind{0x7461636f, "OCFS2"},
    kind{0x47504653, "GPFS"},
    kind{0x19830326, "BeeGFS"},
    kind{0xaad7aaea, "PanFS"},
    kind{0x20030528, "OrangeFS"},
    kind{0x786f4256, "VirtualBox shared folder"},
    kind{0xbacbacbc, "VMware shared folder"},
    kind{0x7c7c6673, "Parallels shared folder"},
    kind{0x65735546, "FUSE"},
};

}  // namespace

std::string_view remote_file_system(std::uint32_t type) noexcept {
    const auto* const found = std::ranges::find(kinds, type, &kind::type);
    return found == kinds.end() ? std::string_view{} : found->name;
}

}  // namespace pawl::detail
