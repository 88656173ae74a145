#include "store/head_run.hpp"

#include "format/block_checksum.hpp"
#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"
#include "store/head_slots.hpp"
#include "store/packed_names.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pawl::detail {

namespace {

constexpr std::size_t checksum_bytes = sizeof(std::uint64_t);

}  // namespace

std::string run_name(std::uint64_t first_ordinal, std::uint64_t last_ordinal) {
    std::string name{heads_name};
    if (first_ordinal != 0)
        name.append(1, '.').append(ordinal_name(last_ordinal));
    return name;
}

bool is_run_name(std::string_view name) noexcept {
    if (!name.starts_with(heads_name) || name.ends_with(".tmp"))
        return false;
    name.remove_prefix(heads_name.size());
    return name.empty() ||
           (name.size() > 10 && name.front() == '.' &&
            std::ranges::all_of(name.substr(1), [](char c) { return c >= '0' && c <= '9'; }));
}

std::uint64_t name_key(std::string_view name) noexcept {
    const auto bytes = std::as_bytes(std::span{name});
    return std::max<std::uint64_t>(hash_bytes(bytes.data(), bytes.size()), 1);
}

result<head_run> head_run::open(const directory_handle& directory, const journal_id& id,
                                std::string_view name) {
    auto opened = directory.open(name, file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto size = opened->size();
    if (!size)
        return std::unexpected(std::move(size.error()));
    head_run made;
    made.path_ = directory.path_of(name);
    if (*size < heads_entries_offset)
        return made.wrong("shorter than its header", *size);
    auto mapped = mapping::of(*opened, mapping::access::read, *size);
    if (!mapped)
        return std::unexpected(std::move(mapped.error()));
    made.mapped_ = std::move(*mapped);
    made.bytes_ = {made.mapped_.data(), made.mapped_.size()};
    const auto fits = made.take_layout(id);
    if (auto whole = made.mapped_.whole(); !whole)
        return std::unexpected(std::move(whole.error()));
    if (!fits)
        return std::unexpected(fits.error());
    return made;
}

result<head_run> head_run::over(std::span<const std::byte> bytes, std::filesystem::path path,
                                const journal_id& id) {
    head_run made;
    made.path_ = std::move(path);
    made.bytes_ = bytes;
    if (auto fits = made.take_layout(id); !fits)
        return std::unexpected(std::move(fits.error()));
    return made;
}

std::unexpected<error> head_run::wrong(std::string detail, std::uint64_t offset) const {
    return std::unexpected(error{.code = errc::damaged,
                                 .offset = offset,
                                 .file = path_.string(),
                                 .detail = std::move(detail)});
}

result<void> head_run::take_layout(const journal_id& id) {
    if (bytes_.size() < heads_entries_offset)
        return wrong("shorter than its header", bytes_.size());
    std::memcpy(&header_, bytes_.data(), sizeof header_);
    if (header_.magic != heads_magic || header_.format_version > format_version ||
        header_.checksum != header_checksum(header_) ||
        std::memcmp(header_.journal, id.data(), id.size()) != 0) {
        return wrong("not this journal's stream heads", 0);
    }
    const std::uint64_t most = bytes_.size() / sizeof(stream_head);
    const std::uint64_t most_names = bytes_.size();
    const auto fits = [&](std::uint64_t slots, std::uint64_t used) {
        return slots <= most && (slots == 0 ? used == 0 : used < slots);
    };
    if (header_.slots == 0 || !fits(header_.slots, header_.streams) ||
        !fits(header_.tag_slots, header_.tags) || !fits(header_.name_slots, header_.names) ||
        header_.name_bytes > most_names || header_.first_ordinal > header_.ordinal)
        return wrong("sections do not fit", 0);
    streams_ = {.offset = heads_entries_offset, .slots = header_.slots};
    tags_ = {.offset = streams_.offset + streams_.slots * sizeof(stream_head),
             .slots = header_.tag_slots};
    names_ = {.offset = tags_.offset + tags_.slots * sizeof(stream_head),
              .slots = header_.name_slots};
    name_bytes_offset_ = names_.offset + names_.slots * sizeof(stream_head);
    checksums_offset_ = padded(static_cast<std::size_t>(name_bytes_offset_ + header_.name_bytes));
    const std::uint64_t blocks = checked_blocks(checksums_offset_);
    if (checksums_offset_ > bytes_.size() ||
        bytes_.size() - checksums_offset_ != blocks * checksum_bytes)
        return wrong("sections do not fit", 0);
    checked_ = std::make_unique<checked_parts>(blocks);
    return {};
}

bool head_run::is_right(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    PAWL_ASSERT(offset <= checksums_offset_ && bytes <= checksums_offset_ - offset);
    for (std::uint64_t block = offset / checked_block_bytes;
         block * checked_block_bytes < offset + bytes; ++block) {
        std::atomic<bool>& seen = checked_->block[static_cast<std::size_t>(block)];
        if (seen.load(std::memory_order_relaxed)) [[likely]]
            continue;
        const std::uint64_t expected =
            load_u64(bytes_.data() + checksums_offset_ + block * checksum_bytes);
        const auto content = bytes_.first(static_cast<std::size_t>(checksums_offset_));
        if (block_checksum(content, block * checked_block_bytes, header_.epoch) != expected) {
            checked_->bad.store(true, std::memory_order_relaxed);
            return false;
        }
        seen.store(true, std::memory_order_relaxed);
    }
    return true;
}

stream_head head_run::slot(const table& in, std::uint64_t number) const noexcept {
    PAWL_ASSERT(number < in.slots);
    stream_head head{};
    std::memcpy(&head, bytes_.data() + in.offset + number * sizeof head, sizeof head);
    return head;
}

std::span<const stream_head> head_run::all(const table& of) const noexcept {
    const std::byte* begin = bytes_.data() + of.offset;
    PAWL_ASSERT(reinterpret_cast<std::uintptr_t>(begin) % alignof(stream_head) == 0);
    return {reinterpret_cast<const stream_head*>(begin), static_cast<std::size_t>(of.slots)};
}

void head_run::prefetch(const table& in, std::uint64_t key) const noexcept {
    if (in.slots == 0)
        return;
    const std::uint64_t offset = in.offset + head_slots::home(key, in.slots) * sizeof(stream_head);
    __builtin_prefetch(bytes_.data() + offset);
    __builtin_prefetch(&checked_->block[static_cast<std::size_t>(offset / checked_block_bytes)]);
}

// A page that the file system has lost reads as zeros, which would be an empty slot.
head_lookup head_run::unless_lost(head_lookup found) const noexcept {
    if (mapped_ && mapped_.faulted()) [[unlikely]] {
        checked_->bad.store(true, std::memory_order_relaxed);
        return head_lookup::unreadable;
    }
    return found;
}

head_lookup head_run::find(const table& in, std::uint64_t key, stream_head& into) const noexcept {
    PAWL_ASSERT(key != 0);
    if (in.slots == 0)
        return head_lookup::absent;
    std::uint64_t at = head_slots::home(key, in.slots);
    for (std::uint64_t looked = 0; looked < in.slots; ++looked) {
        if (!is_right(in.offset + at * sizeof(stream_head), sizeof(stream_head)))
            return head_lookup::unreadable;
        const stream_head head = slot(in, at);
        if (head.stream == key) {
            into = head;
            return unless_lost(head_lookup::present);
        }
        if (head.stream == no_stream_id)
            return unless_lost(head_lookup::absent);
        at = at + 1 == in.slots ? 0 : at + 1;
    }
    return head_lookup::unreadable;  // a table without an empty slot
}

bool head_run::is_named(const stream_head& entry, std::string_view name,
                        head_lookup& how) const noexcept {
    const std::uint64_t bytes = name_prefix_bytes + name.size();
    if (entry.last > header_.name_bytes || header_.name_bytes - entry.last < bytes)
        return false;
    const std::uint64_t offset = name_bytes_offset_ + entry.last;
    if (!is_right(offset, bytes)) {
        how = head_lookup::unreadable;
        return false;
    }
    const std::byte* at = bytes_.data() + offset;
    return load_u64(at) == entry.version && load_u32(at + sizeof(stream_id)) == name.size() &&
           std::memcmp(at + name_prefix_bytes, name.data(), name.size()) == 0;
}

head_lookup head_run::find_name(std::string_view name, stream_id& into) const noexcept {
    if (names_.slots == 0)
        return head_lookup::absent;
    const std::uint64_t key = name_key(name);
    std::uint64_t at = head_slots::home(key, names_.slots);
    head_lookup how = head_lookup::absent;
    for (std::uint64_t looked = 0; looked < names_.slots; ++looked) {
        if (!is_right(names_.offset + at * sizeof(stream_head), sizeof(stream_head)))
            return head_lookup::unreadable;
        const stream_head entry = slot(names_, at);
        if (entry.stream == key && is_named(entry, name, how)) {
            into = entry.version;
            return unless_lost(head_lookup::present);
        }
        if (entry.stream == no_stream_id || how == head_lookup::unreadable)
            return unless_lost(how);
        at = at + 1 == names_.slots ? 0 : at + 1;
    }
    return head_lookup::unreadable;
}

result<void> head_run::check_all() const {
    for (std::uint64_t offset = 0; offset < checksums_offset_; offset += checked_block_bytes) {
        const std::uint64_t bytes =
            std::min<std::uint64_t>(checked_block_bytes, checksums_offset_ - offset);
        if (!is_right(offset, bytes))
            return wrong("checksum mismatch", offset);
    }
    const auto used = [](std::span<const stream_head> slots) {
        return static_cast<std::uint64_t>(std::ranges::count_if(
            slots, [](const stream_head& head) { return head.stream != no_stream_id; }));
    };
    if (used(streams()) != header_.streams)
        return wrong("the table does not have the number of streams that the header gives", 0);
    if (used(tags()) != header_.tags)
        return wrong("the table does not have the number of tags that the header gives", 0);
    if (used(name_table()) != header_.names)
        return wrong("the table does not have the number of names that the header gives", 0);
    return mapped_ ? mapped_.whole() : result<void>{};
}

}  // namespace pawl::detail
