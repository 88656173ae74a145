#include "store/directory.hpp"

#include "format/hash.hpp"
#include "format/segment_layout.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/remote_file_system.hpp"

#include <sys/random.h>
#include <sys/statfs.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

namespace pawl::detail {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t ordinal_digits = 10;

[[nodiscard]] std::string hex_name(std::uint64_t value) {
    std::array<char, 16> text{};
    const auto end = std::to_chars(text.begin(), text.end(), value, 16).ptr;
    const auto length = static_cast<std::size_t>(end - text.begin());
    return std::string(text.size() - length, '0') + std::string(text.data(), length);
}

}  // namespace

std::string ordinal_name(std::uint64_t ordinal) {
    const std::string digits = std::to_string(ordinal);
    const std::size_t zeros = digits.size() < ordinal_digits ? ordinal_digits - digits.size() : 0;
    return std::string(zeros, '0') + digits;
}
std::string segment_name(std::uint64_t ordinal) {
    return ordinal_name(ordinal) + ".seg";
}
std::string index_name(std::uint64_t ordinal) {
    return ordinal_name(ordinal) + ".idx";
}

fs::path identity_path(const fs::path& directory) {
    return directory / identity_name;
}
fs::path control_path(const fs::path& directory) {
    return directory / control_name;
}
fs::path lock_path(const fs::path& directory) {
    return directory / lock_name;
}
fs::path heads_path(const fs::path& directory) {
    return directory / heads_name;
}
fs::path segment_path(const fs::path& directory, std::uint64_t ordinal) {
    return directory / segment_name(ordinal);
}
fs::path index_path(const fs::path& directory, std::uint64_t ordinal) {
    return directory / index_name(ordinal);
}
std::string torn_stem(std::uint64_t ordinal, std::uint64_t epoch) {
    return ordinal_name(ordinal) + "-" + hex_name(epoch);
}

result<std::vector<std::uint64_t>> list_segments(const directory_handle& directory) {
    auto names = directory.names();
    if (!names)
        return std::unexpected(std::move(names.error()));
    std::vector<std::uint64_t> ordinals;
    for (const std::string& name : *names) {
        if (!name.ends_with(".seg"))
            continue;
        std::uint64_t ordinal = 0;
        const char* end = name.data() + name.size() - 4;
        const auto parsed = std::from_chars(name.data(), end, ordinal);
        if (parsed.ec == std::errc{} && parsed.ptr == end && segment_name(ordinal) == name)
            ordinals.push_back(ordinal);
    }
    std::ranges::sort(ordinals);
    return ordinals;
}

error no_journal_in(const directory_handle& directory) {
    error none{.code = errc::not_a_journal, .file = directory.path().string()};
    auto names = directory.names();
    if (!names && names.error().code != errc::not_found)
        return std::move(names.error());
    if (!names) {
        none.detail = "the directory does not exist";
    } else if (names->empty()) {
        none.detail = "the directory is empty";
    } else {
        // Always the same one, although a listing has no order.
        none.detail = "the directory holds no journal.pawl and something else: " +
                      *std::ranges::min_element(*names);
    }
    return none;
}

result<directory_handle> hold_journal(const std::filesystem::path& path) {
    auto held = directory_handle::hold(path);
    if (!held && held.error().code == errc::not_found)
        return std::unexpected(no_journal_in(path));
    return held;
}

result<std::string> foreign_entry(const directory_handle& directory) {
    auto names = directory.names();
    if (!names)
        return std::unexpected(std::move(names.error()));
    std::ranges::sort(*names);
    for (std::string& name : *names) {
        if (name != lock_name && name != "journal.pawl.tmp" && name != "lost+found")
            return std::move(name);
    }
    return std::string{};
}

result<identity> read_identity(const directory_handle& directory) {
    const fs::path path = directory.path_of(identity_name);
    auto bytes = directory.read_whole(identity_name, 4096);
    if (!bytes) {
        if (bytes.error().code == errc::not_found)
            return std::unexpected(no_journal_in(directory));
        return std::unexpected(std::move(bytes.error()));
    }
    identity read{};
    const auto wrong = [&](errc code, std::string detail) {
        return std::unexpected(
            error{.code = code, .offset = 0, .file = path.string(), .detail = std::move(detail)});
    };
    if (bytes->size() < sizeof read)
        return wrong(errc::damaged, "shorter than an identity");
    std::memcpy(&read, bytes->data(), sizeof read);
    if (read.magic != identity_magic)
        return wrong(errc::not_a_journal, "not a journal's identity");
    if (read.format_version > format_version || read.incompatible != 0) {
        return wrong(errc::newer_format,
                     "written in format " + std::to_string(read.format_version) +
                         ", this program reads up to " + std::to_string(format_version));
    }
    if (read.checksum != header_checksum(read))
        return wrong(errc::damaged, "checksum mismatch");
    if (read.segment_bytes < min_segment_bytes || read.segment_bytes > max_segment_bytes) {
        return wrong(errc::damaged, "segment size out of range");
    }
    return read;
}

result<identity> create_identity(const directory_handle& directory, std::uint64_t segment_bytes,
                                 const journal_id& origin, std::uint32_t mode) {
    PAWL_ASSERT(segment_bytes >= min_segment_bytes && segment_bytes <= max_segment_bytes);
    identity fresh{};
    fresh.magic = identity_magic;
    fresh.format_version = format_version;
    fresh.identity_bytes = sizeof fresh;
    const std::array<std::uint64_t, 2> id{random_nonzero(), random_nonzero()};
    std::memcpy(fresh.journal, id.data(), sizeof fresh.journal);
    const bool copy = origin != journal_id{};
    std::memcpy(fresh.origin, copy ? origin.data() : fresh.journal, sizeof fresh.origin);
    fresh.created_ns = system_time_ns();
    fresh.segment_bytes = segment_bytes;
    fresh.checksum = header_checksum(fresh);
    const std::array parts{std::as_bytes(std::span{&fresh, 1})};
    if (auto written = directory.write_whole(identity_name, parts,
                                             directory_handle::on_existing::replace, mode);
        !written)
        return std::unexpected(std::move(written.error()));
    return fresh;
}

journal_id id_of(const identity& from) noexcept {
    return std::to_array(from.journal);
}

journal_identity identity_of(const identity& from) noexcept {
    return {.id = id_of(from), .origin = std::to_array(from.origin)};
}

std::uint64_t id_word(const journal_id& id) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, id.data(), sizeof word);
    return word;
}

result<std::string_view> network_file_system_of(const fs::path& directory) {
    struct statfs status{};
    fs::path at = absolute_path(directory);
    // Where a directory will be made is asked of the one above it.
    while (::statfs(at.c_str(), &status) != 0) {
        if ((errno != ENOENT && errno != ENOTDIR) || !at.has_relative_path())
            return std::unexpected(system_error(errno, at, "cannot stat the file system"));
        at = at.parent_path();
    }
    return remote_file_system(static_cast<std::uint32_t>(status.f_type));
}

result<void> refuse_network_file_system(const fs::path& directory) {
    const auto kind = network_file_system_of(directory);
    if (!kind)
        return std::unexpected(kind.error());
    if (!kind->empty()) {
        return std::unexpected(
            error{.code = errc::network_file_system,
                  .file = directory.string(),
                  .detail = "the directory is on " + std::string{*kind} +
                            ", where locks and shared mappings may not be dependable; a local file "
                            "system of that kind can be allowed with allow_network_file_system, or "
                            "pawl --allow-network-file-system"});
    }
    return {};
}

result<void> remove_temporaries(const directory_handle& directory) {
    auto names = directory.names();
    if (!names)
        return std::unexpected(std::move(names.error()));
    for (const std::string& name : *names) {
        if (!name.ends_with(".tmp"))
            continue;
        if (auto removed = directory.unlink(name); !removed)
            return removed;
    }
    return {};
}

std::uint64_t random_nonzero() {
    std::uint64_t value = 0;
    while (value == 0) {
        // Once the pool is ready, getrandom never returns less than asked for, up to 256 bytes;
        // before that it waits.
        if (::getrandom(&value, sizeof value, 0) != sizeof value)
            value = 0;
    }
    return value;
}

std::uint64_t system_time_ns() noexcept {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace pawl::detail
