#include "store/consumer_lease.hpp"

#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "os/deadline.hpp"
#include "os/this_process.hpp"
#include "store/directory.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
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
    auto made = giving->make_directory(consumers_name);
    if (!made)
        return std::unexpected(std::move(made.error()));
    if (*made) {
        if (auto synced = giving->sync(); !synced)
            return std::unexpected(std::move(synced.error()));
    }
    return giving->hold_below(consumers_name);
}

void set_owner(consumer_block& block) noexcept {
    const process_name owner = this_process();
    block.process = owner.process;
    std::memcpy(block.host, owner.host, sizeof block.host);
    std::memcpy(block.program, owner.program, sizeof block.program);
    std::memcpy(block.boot, owner.boot, sizeof block.boot);
}

[[nodiscard]] result<directory_handle> hold_journal(const std::filesystem::path& path) {
    auto held = directory_handle::hold(path);
    if (!held && held.error().code == errc::not_found)
        return std::unexpected(no_journal_in(path));
    return held;
}

}  // namespace

consumer_lease::consumer_lease(directory_handle consumers, std::string name,
                               consumer_options options, const journal_identity& journal)
    : consumers_{std::move(consumers)},
      name_{std::move(name)},
      options_{std::move(options)},
      journal_{journal},
      process_{::getpid()} {}

consumer_lease::~consumer_lease() {
    release();
}

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
    std::unique_ptr<consumer_lease> lease{new consumer_lease{
        std::move(*consumers), std::string{name}, std::move(options), identity_of(*identity)}};
    if (auto acquired = lease->acquire(); !acquired)
        return std::unexpected(std::move(acquired.error()));
    return lease;
}

result<void> consumer_lease::acquire() {
    auto alone = administer(consumers_);
    if (!alone)
        return std::unexpected(std::move(alone.error()));
    auto exists = consumers_.has(name_);
    if (!exists)
        return std::unexpected(std::move(exists.error()));
    auto ready = *exists ? detach_from_other_links() : create();
    if (!ready)
        return ready;
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

// Both blocks are whole, so that a crash during the next write leaves one.
result<void> consumer_lease::create() {
    if (options_.begin) {
        auto begin = options_.begin();
        if (!begin)
            return std::unexpected(std::move(begin.error()));
        position_ = *begin;
    }
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

// Refuses calls after a failure, after close(), and in a child that a fork made.
result<void> consumer_lease::check_usable() const {
    if (failure_)
        return std::unexpected(error{.code = errc::poisoned,
                                     .cause = failure_->code,
                                     .os_error = failure_->os_error,
                                     .file = failure_->file,
                                     .detail = failure_->detail});
    if (!file_)
        return fail(errc::closed);
    if (process_ != ::getpid())
        return fail(errc::forked);
    return {};
}

result<void> consumer_lease::check_named() const {
    const auto own = file_.identity();
    const auto named = consumers_.identity_of(name_);
    if (own && named && *own == *named)
        return {};
    return std::unexpected(
        error{.code = errc::not_found,
              .file = file_.path().string(),
              .detail = "the consumer's file was removed or replaced while it was in use"});
}

void consumer_lease::set_position(consumer_block& block,
                                  const consumer_position& position) const noexcept {
    std::memcpy(block.journal, journal_.id.data(), sizeof block.journal);
    block.next_sequence = position.point.next;
    block.content_hash = position.point.content_hash;
    block.frame_hash = position.point.frame_hash;
    block.event_ns = position.event_ns;
    block.committed_ns = system_time_ns();
}

void consumer_lease::set_selection(consumer_block& block) const noexcept {
    const std::string& text = options_.selection;
    PAWL_ASSERT(text.size() <= sizeof block.selection);
    std::memset(block.selection, 0, sizeof block.selection);
    std::memcpy(block.selection, text.data(), text.size());
    block.selection_bytes = static_cast<std::uint32_t>(text.size());
    block.selection_hash = hash_bytes(std::as_bytes(std::span{text}).data(), text.size());
}

result<void> consumer_lease::store(consumer_block next, durability how) {
    const bool settle = how == durability::synced;
    const std::size_t slot = 1 - synced_slot_;
    ++next.generation;
    next.state = settle ? consumer_settled : 0;
    seal(next);
    // If it fails, the block may be torn; the next commit overwrites it.
    if (auto written =
            file_.write_at(std::as_bytes(std::span{&next, 1}), slot * consumer_block_bytes);
        !written)
        return written;
    block_ = next;
    position_ = position_of(next);
    unsynced_ = !settle;
    if (!settle)
        return {};
    if (auto synced = file_.sync(); !synced) {
        failure_ = copy_of(synced.error());
        return synced;
    }
    synced_slot_ = slot;
    synced_at_ = steady_clock::now();
    return {};
}

from_point consumer_lease::resume_from() const noexcept {
    journal_id taken_in{};
    std::memcpy(taken_in.data(), block_.journal, taken_in.size());
    return {.point = position_.point, .taken_in = taken_in};
}

result<void> consumer_lease::commit(const consumer_position& position) {
    if (auto usable = check_usable(); !usable)
        return usable;
    if (auto named = check_named(); !named)
        return named;
    consumer_block next = block_;
    set_position(next, position);
    const bool due = steady_clock::now() - synced_at_ >= options_.sync_interval;
    return store(next, due ? durability::synced : durability::written);
}

result<void> consumer_lease::sync() {
    if (auto usable = check_usable(); !usable)
        return usable;
    if (!unsynced_)
        return {};
    return store(block_, durability::synced);
}

steady_clock::time_point consumer_lease::sync_due() const noexcept {
    return unsynced_ ? deadline_after(synced_at_, options_.sync_interval)
                     : steady_clock::time_point::max();
}

result<void> consumer_lease::close() {
    auto synced = sync();
    release();
    return synced;
}

void consumer_lease::release() noexcept {
    if (!file_)
        return;
    if (process_ == ::getpid())
        end_lease(file_);
    file_.close();
}

}  // namespace pawl::detail
