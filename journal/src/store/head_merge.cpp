#include "store/head_merge.hpp"

#include "format/block_checksum.hpp"
#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pawl::detail {

namespace {

// Tables are filled in this order, so merging reads and writes them from the beginning to the end.
// Names may have the same key.
struct by_hash {
    [[nodiscard]] static std::pair<std::uint64_t, std::uint64_t> key(const stream_head& head,
                                                                     bool of_names) noexcept {
        return {mix64(head.stream), of_names ? head.version : 0};
    }
};

// The entries of a table in the order of their hashes. In a run the first slots may hold entries
// whose search begins at the end of the table: they are the last.
class table_reader {
  public:
    explicit table_reader(std::span<const stream_head> slots) noexcept
        : slots_{slots}, left_{slots.size()} {
        while (at_ < slots_.size() && slots_[at_].stream != no_stream_id &&
               head_slots::home(slots_[at_].stream, slots_.size()) > at_)
            ++at_;
        skip_empty();
    }
    // Of entries that are sorted already.
    [[nodiscard]] static table_reader of_sorted(std::span<const stream_head> entries) noexcept {
        table_reader made;
        made.slots_ = entries;
        made.left_ = entries.size();
        return made;
    }

    // Null at the end.
    [[nodiscard]] const stream_head* get() const noexcept {
        return left_ == 0 ? nullptr : &slots_[at_];
    }
    void next() noexcept {
        PAWL_ASSERT(left_ != 0);
        step();
        skip_empty();
    }

  private:
    table_reader() = default;
    void step() noexcept {
        --left_;
        at_ = at_ + 1 == slots_.size() ? 0 : at_ + 1;
    }
    void skip_empty() noexcept {
        while (left_ != 0 && slots_[at_].stream == no_stream_id)
            step();
    }

    std::span<const stream_head> slots_;
    std::size_t at_ = 0;
    std::size_t left_ = 0;
};

// Several tables as one; of the same stream in several, the entry in the last.
class table_merge {
  public:
    // `shift`, if given, is added to the place of each table's names.
    table_merge(std::vector<table_reader> tables, bool of_names,
                std::vector<std::uint64_t> shift = {}) noexcept
        : tables_{std::move(tables)}, shift_{std::move(shift)}, of_names_{of_names} {}

    // Calls visit(entry) for each, ascending. False if a table is not in order.
    template <class Visit>
    [[nodiscard]] bool for_each(const Visit& visit) const {
        auto tables = tables_;
        std::pair<std::uint64_t, std::uint64_t> before{};
        bool first = true;
        for (;;) {
            std::size_t best = tables.size();
            std::pair<std::uint64_t, std::uint64_t> least{};
            for (std::size_t i = 0; i < tables.size(); ++i) {
                const stream_head* head = tables[i].get();
                if (head == nullptr)
                    continue;
                const auto key = by_hash::key(*head, of_names_);
                if (best == tables.size() || key <= least) {
                    best = i;
                    least = key;
                }
            }
            if (best == tables.size())
                return true;
            if (!first && least <= before)
                return false;
            first = false;
            before = least;
            stream_head taken = *tables[best].get();
            if (!shift_.empty())
                taken.last += shift_[best];
            visit(taken);
            for (table_reader& each : tables) {
                const stream_head* head = each.get();
                if (head != nullptr && by_hash::key(*head, of_names_) == least)
                    each.next();
            }
        }
    }

  private:
    std::vector<table_reader> tables_;
    std::vector<std::uint64_t> shift_;
    bool of_names_;
};

// Where the entries of a merged table go: each at the first free slot from its home on. Those that
// find none before the end of the table lie at its beginning.
struct table_layout {
    std::uint64_t entries = 0;
    std::uint64_t slots = 0;
    std::vector<stream_head> at_front{};
};

constexpr std::uint64_t fewest_slots = 64;

[[nodiscard]] bool lay_out(const table_merge& from, bool may_be_absent, table_layout& layout) {
    if (!from.for_each([&](const stream_head&) { ++layout.entries; }))
        return false;
    if (layout.entries != 0 || !may_be_absent)
        layout.slots = std::max(layout.entries + layout.entries / 3 + 1, fewest_slots);
    for (;;) {
        std::vector<stream_head> over;
        std::uint64_t next = layout.at_front.size();
        std::uint64_t left = layout.entries;
        const bool in_order = from.for_each([&](const stream_head& head) {
            // The last entries are at the front already.
            next = std::max(next, head_slots::home(head.stream, layout.slots));
            if (next >= layout.slots)
                over.push_back(head);
            else
                ++next;
            --left;
        });
        if (!in_order)
            return false;
        PAWL_ASSERT(left == 0 && over.size() >= layout.at_front.size());
        const bool settled = over.size() == layout.at_front.size();
        layout.at_front = std::move(over);
        if (settled)
            return true;
    }
}

// Writes a file from its beginning to its end, and the checksums of its blocks after it.
class block_writer {
  public:
    block_writer(const file& into, std::uint64_t epoch) : into_{&into}, epoch_{epoch} {
        buffer_.reserve(buffer_bytes);
    }

    [[nodiscard]] result<void> put(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const std::size_t part = std::min(bytes.size(), buffer_bytes - buffer_.size());
            buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<long>(part));
            bytes = bytes.subspan(part);
            if (buffer_.size() < buffer_bytes)
                continue;
            if (auto done = flush(); !done)
                return done;
        }
        return {};
    }
    [[nodiscard]] result<void> put(const stream_head& head) {
        return put(std::as_bytes(std::span{&head, 1}));
    }
    [[nodiscard]] result<void> finish() {
        static constexpr std::array<std::byte, frame_alignment> zeros{};
        const auto size = static_cast<std::size_t>(offset_ + buffer_.size());
        if (auto done = put(std::span{zeros}.first(padded(size) - size)); !done)
            return done;
        if (auto done = flush(); !done)
            return done;
        return into_->write_at(std::as_bytes(std::span{checksums_}), offset_);
    }

  private:
    static constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
    static_assert(buffer_bytes % checked_block_bytes == 0);

    [[nodiscard]] result<void> flush() {
        for (std::size_t at = 0; at < buffer_.size(); at += checked_block_bytes) {
            const std::size_t bytes =
                std::min<std::size_t>(checked_block_bytes, buffer_.size() - at);
            checksums_.push_back(
                block_checksum_at(std::span{buffer_}.subspan(at, bytes), offset_ + at, epoch_));
        }
        if (auto done = into_->write_at(buffer_, offset_); !done)
            return done;
        offset_ += buffer_.size();
        buffer_.clear();
        return {};
    }

    const file* into_;
    std::uint64_t epoch_;
    std::uint64_t offset_ = 0;
    std::vector<std::byte> buffer_;
    std::vector<std::uint64_t> checksums_;
};

[[nodiscard]] result<void> put_table(block_writer& out, const table_merge& from,
                                     const table_layout& layout) {
    result<void> done;
    const auto put = [&](const stream_head& head) {
        if (done)
            done = out.put(head);
    };
    std::uint64_t next = 0;
    for (const stream_head& head : layout.at_front) {
        put(head);
        ++next;
    }
    (void)from.for_each([&](const stream_head& head) {
        const std::uint64_t at = std::max(next, head_slots::home(head.stream, layout.slots));
        if (at >= layout.slots)
            return;  // it lies at the front
        for (; next < at; ++next)
            put({});
        put(head);
        ++next;
    });
    for (; next < layout.slots; ++next)
        put({});
    return done;
}

[[nodiscard]] std::vector<stream_head> sorted_entries(const head_slots& table) {
    std::vector<stream_head> list;
    list.reserve(static_cast<std::size_t>(table.used()));
    std::ranges::copy_if(table.all(), std::back_inserter(list),
                         [](const stream_head& head) { return head.stream != no_stream_id; });
    std::ranges::sort(list, {}, [](const stream_head& head) { return mix64(head.stream); });
    return list;
}

// Names in memory as they lie in a run: in the order of their numbers.
struct packed_table {
    std::vector<std::byte> bytes{};
    std::vector<stream_head> entries{};  // sorted by hash
};

[[nodiscard]] packed_table pack_in_order(const name_map& names) {
    std::vector<const name_map::value_type*> in_order;
    in_order.reserve(names.size());
    for (const auto& each : names)
        in_order.push_back(&each);
    std::ranges::sort(in_order, {}, [](const auto* each) { return each->second; });
    packed_table made;
    for (const auto* each : in_order) {
        made.entries.push_back({name_key(each->first), each->second, made.bytes.size()});
        append_packed(made.bytes, each->first, each->second);
    }
    std::ranges::sort(made.entries, {},
                      [](const stream_head& head) { return by_hash::key(head, true); });
    return made;
}

// What one run is written from.
class run_source {
  public:
    run_source(std::span<const std::shared_ptr<const head_run>> runs, const stream_heads& later)
        : runs_{runs},
          streams_{sorted_entries(later.slots)},
          tags_{sorted_entries(later.tags)},
          names_{pack_in_order(later.names)} {}

    [[nodiscard]] table_merge streams() const {
        return {tables(&head_run::streams, streams_), false};
    }
    [[nodiscard]] table_merge tags() const { return {tables(&head_run::tags, tags_), false}; }
    [[nodiscard]] table_merge names() const {
        std::vector<std::uint64_t> shift{0};
        for (const auto& run : runs_)
            shift.push_back(shift.back() + run->header().name_bytes);
        return {tables(&head_run::name_table, names_.entries), true, std::move(shift)};
    }
    [[nodiscard]] std::uint64_t name_bytes() const noexcept {
        std::uint64_t bytes = names_.bytes.size();
        for (const auto& run : runs_)
            bytes += run->header().name_bytes;
        return bytes;
    }
    [[nodiscard]] result<void> put_names(block_writer& out) const {
        for (const auto& run : runs_) {
            if (auto done = out.put(run->names()); !done)
                return done;
        }
        return out.put(names_.bytes);
    }

  private:
    [[nodiscard]] std::vector<table_reader> tables(std::span<const stream_head> (head_run::*of)()
                                                       const noexcept,
                                                   std::span<const stream_head> last) const {
        std::vector<table_reader> made;
        for (const auto& run : runs_)
            made.emplace_back(((*run).*of)());
        made.push_back(table_reader::of_sorted(last));
        return made;
    }

    std::span<const std::shared_ptr<const head_run>> runs_;
    std::vector<stream_head> streams_;
    std::vector<stream_head> tags_;
    packed_table names_;
};

[[nodiscard]] std::unexpected<error> not_in_order(const directory_handle& directory) {
    return std::unexpected(error{.code = errc::damaged,
                                 .offset = heads_entries_offset,
                                 .file = heads_path(directory.path()).string(),
                                 .detail = "a table of stream heads is not in order"});
}

[[nodiscard]] heads_header header_of(const journal_id& id, const stream_heads& later) {
    heads_header header{};
    header.magic = heads_magic;
    header.format_version = format_version;
    header.header_bytes = sizeof header;
    std::memcpy(header.journal, id.data(), id.size());
    header.ordinal = later.ordinal;
    header.epoch = later.epoch;
    header.end_sequence = later.end_sequence;
    header.streams_so_far = later.streams_so_far;
    return header;
}

}  // namespace

std::size_t runs_to_merge(const head_runs& runs, std::uint64_t entries,
                          std::uint64_t most) noexcept {
    std::size_t merged = 0;
    const auto all = runs.all();
    while (merged < all.size()) {
        const std::uint64_t before = all[all.size() - 1 - merged]->entries();
        if (before > entries || before > most - std::min(most, entries))
            break;
        entries += before;
        ++merged;
    }
    return merged;
}

result<head_runs> write_run(const directory_handle& directory, const journal_id& id,
                            const head_runs& runs, std::size_t merged, const stream_heads& later) {
    PAWL_ASSERT(merged <= runs.size());
    PAWL_ASSERT(later.covers_something && later.epoch != 0);
    const auto kept = runs.all().first(runs.size() - merged);
    const auto going = runs.all().subspan(kept.size());
    for (const auto& run : going) {
        if (auto right = run->check_all(); !right)
            return std::unexpected(std::move(right.error()));
    }
    const run_source source{going, later};
    table_layout streams;
    table_layout tags;
    table_layout names;
    if (!lay_out(source.streams(), false, streams) || !lay_out(source.tags(), true, tags) ||
        !lay_out(source.names(), true, names))
        return not_in_order(directory);

    heads_header header = header_of(id, later);
    if (!kept.empty()) {
        header.first_ordinal = kept.back()->header().ordinal + 1;
        header.epoch_before = kept.back()->header().epoch;
    }
    header.slots = streams.slots;
    header.streams = streams.entries;
    header.tag_slots = tags.slots;
    header.tags = tags.entries;
    header.name_slots = names.slots;
    header.names = names.entries;
    header.name_bytes = source.name_bytes();
    header.checksum = header_checksum(header);
    std::array<std::byte, heads_entries_offset> first{};
    std::memcpy(first.data(), &header, sizeof header);

    const std::string name = run_name(header.first_ordinal, header.ordinal);
    const std::string temporary = name + ".tmp";
    auto fresh = directory.open(temporary, file::access::create);
    if (!fresh)
        return std::unexpected(std::move(fresh.error()));
    block_writer out{*fresh, header.epoch};
    auto done = out.put(first);
    if (done)
        done = put_table(out, source.streams(), streams);
    if (done)
        done = put_table(out, source.tags(), tags);
    if (done)
        done = put_table(out, source.names(), names);
    if (done)
        done = source.put_names(out);
    if (!done)
        return std::unexpected(std::move(done.error()));
    if (done = out.finish(); !done)
        return std::unexpected(std::move(done.error()));
    if (done = fresh->sync(); done)
        done = directory.rename(temporary, name, directory_handle::on_existing::replace);
    if (done)
        done = directory.sync();
    if (!done)
        return std::unexpected(std::move(done.error()));
    auto opened = head_run::open(directory, id, name);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    std::vector<std::shared_ptr<const head_run>> all{kept.begin(), kept.end()};
    all.push_back(std::make_shared<const head_run>(std::move(*opened)));
    head_runs made{std::move(all)};
    if (auto removed = remove_other_runs(directory, made); !removed)
        return std::unexpected(std::move(removed.error()));
    return made;
}

}  // namespace pawl::detail
