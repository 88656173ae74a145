#include "append/appender.hpp"
#include "writer/writer_open.hpp"
#include "writer/writer_state.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace pawl {

reservation::reservation(reservation&& other) noexcept
    : appender_{std::exchange(other.appender_, nullptr)}, payload_{other.payload_} {}

reservation::~reservation() {
    abandon();
}

result<receipt> reservation::commit(std::size_t bytes) noexcept {
    if (appender_ == nullptr)
        return std::unexpected(error{.code = errc::closed, .reason = "this reservation has ended"});
    return std::exchange(appender_, nullptr)->commit_reservation(bytes);
}

void reservation::abandon() noexcept {
    if (appender_ != nullptr)
        std::exchange(appender_, nullptr)->abandon_reservation();
}

batch::batch(batch&& other) noexcept : appender_{std::exchange(other.appender_, nullptr)} {}

batch::~batch() {
    abandon();
}

result<receipt> batch::append(const event_header& header,
                              std::span<const std::byte> payload) noexcept {
    if (appender_ == nullptr)
        return std::unexpected(error{.code = errc::closed, .reason = "this batch has ended"});
    return appender_->add_to_batch(header, payload);
}

result<reservation> batch::reserve(const event_header& header, std::size_t max_bytes) noexcept {
    if (appender_ == nullptr)
        return std::unexpected(error{.code = errc::closed, .reason = "this batch has ended"});
    if (auto wrong = appender_->reserve_in_batch(header, max_bytes)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    return reservation{appender_, appender_->reserved_payload()};
}

std::uint32_t batch::size() const noexcept {
    return appender_ == nullptr ? 0 : appender_->batch_size();
}

result<receipt> batch::commit() noexcept {
    if (appender_ == nullptr)
        return std::unexpected(error{.code = errc::closed, .reason = "this batch has ended"});
    return std::exchange(appender_, nullptr)->commit_batch();
}

void batch::abandon() noexcept {
    if (appender_ != nullptr)
        std::exchange(appender_, nullptr)->abandon_batch();
}

writer::writer(std::unique_ptr<detail::writer_state> state) noexcept
    : state_{std::move(state)}, appender_{&state_->append()} {}

writer::writer(writer&& other) noexcept
    : state_{std::move(other.state_)}, appender_{std::exchange(other.appender_, nullptr)} {}

writer& writer::operator=(writer&& other) noexcept {
    if (this != &other) {
        writer moved{std::move(other)};
        std::swap(state_, moved.state_);
        std::swap(appender_, moved.appender_);
    }
    return *this;
}

writer::~writer() {
    // In a forked child, the threads do not exist and the writer belongs to the parent, so leave
    // everything alone.
    if (state_ != nullptr && state_->gate_now() == detail::gate::forked)
        (void)state_.release();
}

result<writer> writer::open(const std::filesystem::path& directory, const writer_options& options) {
    auto state = detail::open_writer(directory, options);
    if (!state)
        return std::unexpected(std::move(state.error()));
    return writer{std::move(*state)};
}

const recovery_report& writer::recovery() const noexcept {
    return state_->report();
}
const std::filesystem::path& writer::directory() const noexcept {
    return state_->directory();
}
const journal_id& writer::id() const noexcept {
    return state_->id();
}
const journal_identity& writer::identity() const noexcept {
    return state_->identity();
}

result<receipt> writer::append(const event_header& header,
                               std::span<const std::byte> payload) noexcept {
    return appender_->append(header, payload);
}

event writer::appended(const receipt& placed) const noexcept {
    return appender_->written(placed.position);
}

result<reservation> writer::reserve(const event_header& header, std::size_t max_bytes) noexcept {
    if (auto wrong = appender_->reserve(header, max_bytes)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    return reservation{appender_, appender_->reserved_payload()};
}

result<batch> writer::begin_batch(std::uint32_t events, std::size_t payload_bytes) noexcept {
    if (auto begun = appender_->begin_batch(events, payload_bytes); !begun) {
        return std::unexpected(std::move(begun.error()));
    }
    return batch{appender_};
}

result<stream_id> writer::stream(std::string_view name, std::uint64_t timestamp_ns) {
    try {
        return state_->stream(name, timestamp_ns);
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

result<bool> writer::describe(const type_description& what, std::uint64_t timestamp_ns) {
    try {
        return state_->describe(what, timestamp_ns);
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

stream_version writer::version(stream_id stream) const noexcept {
    detail::stream_head head{};
    switch (appender_->find_head(stream, head)) {
        case detail::head_lookup::absent:
            return 0;
        case detail::head_lookup::present:
            return head.version;
        case detail::head_lookup::unreadable:
            break;
    }
    return no_value;
}

std::optional<log_position> writer::last_position(stream_id stream) const noexcept {
    detail::stream_head head{};
    if (appender_->find_head(stream, head) != detail::head_lookup::present)
        return std::nullopt;
    return detail::unpack_position(head.last);
}

std::optional<sequence_number> writer::last_named(tag_id tag) const noexcept {
    detail::stream_head tip{};
    if (appender_->find_tag(tag, tip) != detail::head_lookup::present)
        return std::nullopt;
    return tip.version - 1;
}

writer_point writer::point() const noexcept {
    return appender_->point();
}

sequence_number writer::next_sequence() const noexcept {
    return appender_->sequence();
}

sequence_number writer::published() const noexcept {
    return appender_->shared().sequence.load(std::memory_order_acquire);
}

sequence_number writer::durable() const noexcept {
    return state_->durable().durable();
}

result<sequence_number> writer::sync() {
    const auto gate = state_->gate_now();
    // Beside a close that is not done yet there still is something to sync.
    const bool is_over = gate == detail::gate::closed && durable() >= published();
    if (gate == detail::gate::forked || is_over)
        return std::unexpected(state_->refusal_now());
    try {
        return state_->durable().sync();
    } catch (const std::bad_alloc&) {
        // Part of the bookkeeping was not done. This writer cannot repair that, but a recovery
        // does.
        return std::unexpected(state_->durable().poison({.code = errc::out_of_memory}));
    }
}

result<sequence_number> writer::wait_durable(sequence_number sequence) {
    if (durable() > sequence)
        return durable();
    if (sequence >= published()) {
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .sequence = sequence,
                                     .limit = published(),
                                     .reason = "no event with this sequence is published yet"});
    }
    auto synced = sync();
    // Another thread may have closed the writer meanwhile, which made everything durable.
    if (!synced && durable() > sequence)
        return durable();
    return synced;
}

result<sequence_number> writer::spin_durable(sequence_number sequence) const noexcept {
    while (durable() <= sequence) {
        if (state_->gate_is_open())
            continue;
        if (durable() > sequence)
            break;
        return std::unexpected(state_->refusal_now());
    }
    return durable();
}

result<prune_report> writer::prune(const prune_options& options) {
    return detail::guarded([&] { return state_->prune(options); });
}

std::optional<error> writer::failure() const {
    return state_->durable().failure();
}

writer_statistics writer::statistics() const noexcept {
    const detail::progress& shared = appender_->shared();
    const std::uint64_t position = shared.position.load(std::memory_order_relaxed);
    // Read first, so that it is never more than what is published.
    const sequence_number durable_now = durable();
    return {.published = published(),
            .durable = durable_now,
            .appended_bytes = position - detail::first_frame_offset,
            .rollovers = shared.rollovers.load(std::memory_order_relaxed),
            .syncs = state_->durable().syncs(),
            .back_pressure = shared.back_pressure.load(std::memory_order_relaxed),
            .populated_bytes = state_->pages().populated_bytes(),
            .scrubbed_bytes = state_->scrubbed_bytes(),
            .streams = appender_->streams().streams(),
            .pruned_segments = state_->pruned_segments(),
            .failed_prunes = state_->failed_prunes()};
}

result<counter> writer::register_counter(std::string_view name, counter_kind kind) {
    return detail::guarded([&] { return state_->counters().enter(name, kind); });
}

result<void> writer::poll() {
    try {
        return state_->poll();
    } catch (const std::bad_alloc&) {
        return std::unexpected(state_->durable().poison({.code = errc::out_of_memory}));
    }
}

result<void> writer::close() {
    try {
        return state_->close();
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl
