// Opening a consumer: its file is made or taken over, and the lease with it.
#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "os/this_process.hpp"
#include "store/consumer_lease.hpp"
#include "store/consumers_lock.hpp"
#include "store/directory.hpp"
#include "store/log_begin.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <utility>

namespace pawl::detail {

using std::chrono::steady_clock;

namespace {

[[nodiscard]] result<void> check_options(std::string_view name, const consumer_options& options) {
    if (!is_consumer_name(name))
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .detail = "a consumer's name is 1 to 80 of a-z, 0-9, _, - and ., begins with a "
                            "letter or digit and does not end with .tmp: " +
                            std::string{name}});
    if (options.selection.size() > longest_selection)
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .size = options.selection.size(),
                                     .limit = longest_selection,
                                     .reason = "the selection of a consumer is too long"});
    if (options.sync_interval < std::chrono::nanoseconds::zero())
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .reason = "consumer_options::sync_interval is negative"});
    return {};
}

// The directory `consumers`, made if there is none; what is made in it belongs to whom the journal
// belongs to.
[[nodiscard]] result<directory_handle> open_directory_of(const directory_handle& journal) {
    auto giving = journal.giving_as(identity_name);
    if (!giving)
        return giving;
    auto exists = giving->has(consumers_name);
    if (!exists)
        return std::unexpected(std::move(exists.error()));
    held_flock alone;
    if (!*exists) {
        // A prune that found no consumers must not have any before it is done.
        auto taken = lock_consumers(*giving);
        if (!taken)
            return std::unexpected(std::move(taken.error()));
        alone = std::move(*taken);
    }
    if (auto made = giving->make_directory(consumers_name); !made)
        return std::unexpected(std::move(made.error()));
    return giving->hold_below(consumers_name);
}

void set_owner(consumer_block& block) noexcept {
    const process_name owner = this_process();
    block.process = owner.process;
    std::memcpy(block.host, owner.host, sizeof block.host);
    std::memcpy(block.program, owner.program, sizeof block.program);
    std::memcpy(block.boot, owner.boot, sizeof block.boot);
}

}  // namespace

result<std::unique_ptr<consumer_lease>> consumer_lease::open(const std::filesystem::path& directory,
                                                             std::string_view name,
                                                             consumer_options options) {
    if (auto fine = check_options(name, options); !fine)
        return std::unexpected(std::move(fine.error()));
    auto journal = hold_journal(directory);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    auto identity = read_identity(*journal);
    if (!identity)
        return std::unexpected(std::move(identity.error()));
    if (!options.allow_network_file_system) {
        if (auto local = refuse_network_file_system(journal->path()); !local)
            return std::unexpected(std::move(local.error()));
    }
    auto consumers = open_directory_of(*journal);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    std::unique_ptr<consumer_lease> lease{
        new consumer_lease{std::move(*journal), std::move(*consumers), std::string{name},
                           std::move(options), identity_of(*identity)}};
    if (auto acquired = lease->acquire(); !acquired)
        return std::unexpected(std::move(acquired.error()));
    return lease;
}

result<void> consumer_lease::acquire() {
    for (;;) {
        // Asked for without the lock: it is the program's and may do anything.
        auto asked = ask_begin();
        if (!asked)
            return std::unexpected(std::move(asked.error()));
        auto alone = lock_consumers(consumers_);
        if (!alone)
            return std::unexpected(std::move(alone.error()));
        auto ready = make_ready(*asked);
        if (!ready)
            return std::unexpected(std::move(ready.error()));
        if (*ready)
            return take_over();
    }
}

// Where a new consumer begins, and where the log began before that was asked for. Nothing if the
// consumer exists.
result<std::optional<consumer_lease::beginning>> consumer_lease::ask_begin() const {
    auto exists = consumers_.has(name_);
    if (!exists)
        return std::unexpected(std::move(exists.error()));
    if (*exists)
        return std::nullopt;
    auto log = read_log_begin(directory_, journal_.id);
    if (!log)
        return std::unexpected(std::move(log.error()));
    beginning asked{.position = {}, .log_ordinal = log->ordinal};
    if (options_.begin) {
        auto begin = options_.begin();
        if (!begin)
            return std::unexpected(std::move(begin.error()));
        asked.position = *begin;
    }
    return asked;
}

// Sees to it that the file exists and is this directory's alone. False if that needs to be asked
// again: somebody dropped the consumer, or pruned the events that it would begin with, meanwhile.
result<bool> consumer_lease::make_ready(const std::optional<beginning>& asked) {
    auto exists = consumers_.has(name_);
    if (!exists)
        return std::unexpected(std::move(exists.error()));
    result<void> done{};
    if (*exists) {
        done = detach_from_other_links();
    } else if (!asked) {
        return false;
    } else {
        auto log = read_log_begin(directory_, journal_.id);
        if (!log)
            return std::unexpected(std::move(log.error()));
        position_ = asked->position;
        if (!options_.begin)
            position_ = {.point = log->point};
        if (position_.point.next < log->sequence()) {
            if (log->ordinal != asked->log_ordinal)
                return false;
            return std::unexpected(before_the_beginning(*log, directory_, position_.point.next));
        }
        done = create();
    }
    if (!done)
        return std::unexpected(std::move(done.error()));
    return true;
}

result<void> consumer_lease::take_over() {
    PAWL_ASSERT(!file_);
    auto opened = open_consumer(consumers_, name_, file::access::read_write);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    if (auto taken = take_lease(*opened); !taken)
        return taken;
    file_ = std::move(*opened);
    // A program that does not go by the rules above may have replaced the file meanwhile.
    if (auto named = check_named(); !named)
        return named;
    return adopt();
}

// Both blocks are whole, so that a crash during the next write leaves one. The process that made
// the directory may have died before its entry was synced.
result<void> consumer_lease::create() {
    PAWL_ASSERT(is_consumer_name(name_));
    if (auto synced = directory_.sync(); !synced)
        return synced;
    std::array<consumer_block, 2> blocks{};
    std::uint64_t generation = 0;
    for (consumer_block& block : blocks) {
        block.magic = consumer_magic;
        block.format_version = format_version;
        block.block_bytes = consumer_block_bytes;
        std::memcpy(block.origin, journal_.origin.data(), sizeof block.origin);
        std::memcpy(block.name, name_.data(), name_.size());
        set_position(block, position_);
        set_owner(block);
        set_selection(block);
        block.generation = ++generation;
        block.state = consumer_settled;
        seal(block);
    }
    const std::array parts{std::span<const std::byte>{std::as_bytes(std::span{blocks})}};
    return consumers_.write_whole(name_, parts);
}

// In a copy of the directory made of hard links, the file is also the other directory's, and so is
// a lock on it: this directory gets a file of its own.
result<void> consumer_lease::detach_from_other_links() {
    auto links = consumers_.links_of(name_);
    if (!links)
        return std::unexpected(std::move(links.error()));
    if (*links == 1)
        return {};
    if (auto regular = open_consumer(consumers_, name_, file::access::read); !regular)
        return std::unexpected(std::move(regular.error()));
    auto bytes = consumers_.read_whole(name_, consumer_file_bytes);
    if (!bytes)
        return std::unexpected(std::move(bytes.error()));
    const std::array parts{std::span<const std::byte>{*bytes}};
    return consumers_.write_whole(name_, parts);
}

// Takes over what the file says, and enters this process as its owner.
result<void> consumer_lease::adopt() {
    PAWL_ASSERT(file_);
    auto record = read_consumer(file_, name_, journal_.origin);
    if (!record)
        return std::unexpected(std::move(record.error()));
    if (record->newest.read_compatible != 0)
        return std::unexpected(error{.code = errc::newer_format,
                                     .file = file_.path().string(),
                                     .detail = "a newer program's features allow reading only"});
    block_ = record->newest;
    position_ = position_of(block_);
    if (auto same = check_selection(); !same)
        return same;
    // The last owner may have died before it synced what it had written.
    if (auto synced = file_.sync(); !synced)
        return synced;
    synced_slot_ = record->slot;
    synced_at_ = steady_clock::now();
    consumer_block mine = block_;
    set_owner(mine);
    set_selection(mine);
    const bool as_before = mine.selection_hash == block_.selection_hash;
    return store(mine, as_before ? durability::written : durability::synced);
}

result<void> consumer_lease::check_selection() const {
    PAWL_ASSERT(block_.selection_bytes <= sizeof block_.selection);
    const std::string_view before{block_.selection, block_.selection_bytes};
    if (options_.replace_selection || before == options_.selection)
        return {};
    return std::unexpected(error{
        .code = errc::invalid_argument,
        .file = file_.path().string(),
        .detail = "the consumer reads '" + std::string{before} + "', not '" + options_.selection +
                  "'; what it left out will not come again: allow that with replace_selection, or "
                  "drop it"});
}

void consumer_lease::set_selection(consumer_block& block) const noexcept {
    const std::string& text = options_.selection;
    PAWL_ASSERT(text.size() <= sizeof block.selection);
    std::memset(block.selection, 0, sizeof block.selection);
    std::memcpy(block.selection, text.data(), text.size());
    block.selection_bytes = static_cast<std::uint32_t>(text.size());
    block.selection_hash = hash_bytes(std::as_bytes(std::span{text}).data(), text.size());
}

}  // namespace pawl::detail
