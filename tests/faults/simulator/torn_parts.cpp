#include "torn_parts.hpp"

#include "format/segment_layout.hpp"
#include "memory_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

namespace pawl::test {

namespace {

[[nodiscard]] bool all_zero(std::span<const std::byte> bytes) noexcept {
    return std::ranges::all_of(bytes, [](std::byte one) { return one == std::byte{0}; });
}

}  // namespace

torn_parts::torn_parts(const std::filesystem::path& directory) : directory_{directory} {
    for (const auto& entry : memory_files::list(directory.native(), false)) {
        if (!entry.name.ends_with(".seg"))
            continue;
        const auto bytes = entry.file->contents();
        segments_.emplace_back(entry.name, std::vector<std::byte>{bytes.begin(), bytes.end()});
    }
    for (const auto& entry : memory_files::list((directory / "torn").native(), false)) {
        const auto bytes = entry.file->contents();
        saved_.emplace_back(entry.name, std::vector<std::byte>{bytes.begin(), bytes.end()});
    }
}

bool torn_parts::saved_before(std::uint64_t ordinal, std::uint64_t offset) const {
    const std::string begins = fmt::format("{:010}-", ordinal);
    const std::string ends = fmt::format("-{}.bytes", offset);
    return std::ranges::any_of(saved_, [&](const auto& saved) {
        const auto& [name, bytes] = saved;
        if (!name.starts_with(begins) || !name.ends_with(ends))
            return false;
        const auto file = memory_files::find((directory_ / "torn" / name).native());
        return file != nullptr && std::ranges::equal(file->contents(), bytes);
    });
}

bool torn_parts::kept(const std::vector<std::byte>& bytes) const {
    return std::ranges::any_of(
        memory_files::list((directory_ / "torn").native(), false),
        [&](const auto& entry) { return std::ranges::equal(entry.file->contents(), bytes); });
}

std::string torn_parts::fault_after(const recovery_report& report) const {
    if (report.state != found::torn_tail)
        return {};
    const std::string cut_name = fmt::format("{:010}.seg", report.cut.ordinal);
    for (const auto& [name, bytes] : segments_) {
        if (name < cut_name)
            continue;
        const std::span whole{bytes};
        if (name > cut_name) {
            if (!all_zero(whole.subspan(detail::first_frame_offset)) && !kept(bytes))
                return "not kept: " + name;
            continue;
        }
        const auto overwritten = whole.subspan(report.cut.offset, detail::end_frame_bytes);
        if (!all_zero(overwritten) && !saved_before(report.cut.ordinal, report.cut.offset) &&
            !kept({overwritten.begin(), overwritten.end()}))
            return fmt::format("not kept: {} at byte {}", name, report.cut.offset);
    }
    return {};
}

}  // namespace pawl::test
