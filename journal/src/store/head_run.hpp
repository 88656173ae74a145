// A run of stream heads in its file, probed in place.
//
// A run holds the version and the last place of every stream that some sealed segments hold, the
// last event of every tag, and the names that were assigned there. It is derived from the log and
// never changed. Opening it reads one page; a lookup reads, and checks, the blocks that it touches.
#pragma once

#include "format/heads_layout.hpp"
#include "os/directory_handle.hpp"
#include "os/mapping.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pawl::detail {

// unreadable: a block that the answer depends on is wrong. The log has the answer.
enum class head_lookup : std::uint8_t { absent, present, unreadable };

// Of the run that begins with this segment and ends with that one: "streams" from the beginning of
// the journal on, otherwise "streams." and the ordinal of the last segment. So merging a run with
// those before it replaces the newest of them.
[[nodiscard]] std::string run_name(std::uint64_t first_ordinal, std::uint64_t last_ordinal);
[[nodiscard]] bool is_run_name(std::string_view name) noexcept;

// The key of a name in the table of names: its hash, never 0.
[[nodiscard]] std::uint64_t name_key(std::string_view name) noexcept;

// Any number of threads may look things up at the same time.
class head_run {
  public:
    // Maps the file and checks its header. not_found, or damaged if it is not this journal's.
    [[nodiscard]] static result<head_run> open(const directory_handle& directory,
                                               const journal_id& id, std::string_view name);
    // The same over bytes that the caller keeps; the errors name `path`.
    [[nodiscard]] static result<head_run> over(std::span<const std::byte> bytes,
                                               std::filesystem::path path, const journal_id& id);

    [[nodiscard]] const heads_header& header() const noexcept { return header_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t entries() const noexcept {
        return header_.streams + header_.tags + header_.names;
    }

    [[nodiscard]] head_lookup find_stream(stream_id stream, stream_head& into) const noexcept {
        return find(streams_, stream, into);
    }
    [[nodiscard]] head_lookup find_tag(tag_id tag, stream_head& into) const noexcept {
        return find(tags_, tag, into);
    }
    [[nodiscard]] head_lookup find_name(std::string_view name, stream_id& into) const noexcept;
    // Begins to fetch what find_stream or find_tag will look at first.
    void prefetch_stream(stream_id stream) const noexcept { prefetch(streams_, stream); }
    void prefetch_tag(tag_id tag) const noexcept { prefetch(tags_, tag); }

    // Checks every block, and that the tables have as many entries as the header gives.
    [[nodiscard]] result<void> check_all() const;
    // Whether a lookup has found a wrong block.
    [[nodiscard]] bool is_bad() const noexcept {
        return checked_ != nullptr && checked_->bad.load(std::memory_order_relaxed);
    }

    // Unchecked before check_all().
    [[nodiscard]] std::span<const stream_head> streams() const noexcept { return all(streams_); }
    [[nodiscard]] std::span<const stream_head> tags() const noexcept { return all(tags_); }
    [[nodiscard]] std::span<const stream_head> name_table() const noexcept { return all(names_); }
    [[nodiscard]] std::span<const std::byte> names() const noexcept {
        return bytes_.subspan(static_cast<std::size_t>(name_bytes_offset_),
                              static_cast<std::size_t>(header_.name_bytes));
    }

  private:
    struct table {
        std::uint64_t offset = heads_entries_offset;
        std::uint64_t slots = 0;
    };
    struct checked_parts {
        explicit checked_parts(std::uint64_t blocks)
            : block{std::make_unique<std::atomic<bool>[]>(static_cast<std::size_t>(blocks))} {}
        std::unique_ptr<std::atomic<bool>[]> block;
        std::atomic<bool> bad{false};
    };

    head_run() = default;
    [[nodiscard]] result<void> take_layout(const journal_id& id);
    [[nodiscard]] std::unexpected<error> wrong(std::string detail, std::uint64_t offset) const;
    // Whether the blocks of a range are what their checksums say.
    [[nodiscard]] bool is_right(std::uint64_t offset, std::uint64_t bytes) const noexcept;
    [[nodiscard]] head_lookup find(const table& in, std::uint64_t key,
                                   stream_head& into) const noexcept;
    void prefetch(const table& in, std::uint64_t key) const noexcept;
    // Whether no page of the file was lost, which would read as zeros.
    [[nodiscard]] head_lookup unless_lost(head_lookup found) const noexcept;
    [[nodiscard]] stream_head slot(const table& in, std::uint64_t number) const noexcept;
    [[nodiscard]] std::span<const stream_head> all(const table& of) const noexcept;
    [[nodiscard]] bool is_named(const stream_head& entry, std::string_view name,
                                head_lookup& how) const noexcept;

    mapping mapped_;
    std::span<const std::byte> bytes_;
    std::filesystem::path path_;
    heads_header header_{};
    table streams_;
    table tags_;
    table names_;
    std::uint64_t name_bytes_offset_ = 0;
    std::uint64_t checksums_offset_ = 0;  // and end of what they cover
    std::unique_ptr<checked_parts> checked_;
};

}  // namespace pawl::detail
