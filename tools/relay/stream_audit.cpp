#include "relay/stream_audit.hpp"

#include "relay/nats_source.hpp"
#include "relay/took_over.hpp"

#include <pawl/journal/cursor.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace pawl::relay {

namespace {

using namespace std::chrono_literals;

// A message of the stream: the event, or nothing if it is damaged.
struct stored_message {
    sequence_number sequence = 0;
    std::optional<stored_event> event{};
};

// The journal of a promoted copy holds *lost* events at the places of a batch that was cut short.
[[nodiscard]] bool stands_for(const event& mine, const stored_event& stored) {
    return mine.type() == lost_type && mine.more_in_batch() && stored.more_in_batch() &&
           mine.timestamp_ns() == stored.view().timestamp_ns();
}

class audit_run {
  public:
    audit_run(nats_source source, const audit_options& options)
        : source_{std::move(source)}, options_{options} {}

    [[nodiscard]] result<stream_audit> run() {
        auto events = cursor::open(
            options_.directory, {.show = visibility::durable,
                                 .allow_network_file_system = options_.allow_network_file_system});
        if (!events)
            return std::unexpected(std::move(events.error()));
        if (events->identity().origin != source_.stream().journal().origin)
            return fail(errc::invalid_argument, "the stream belongs to another journal");
        report_.next = source_.end().next;
        bool is_first = true;
        while (const event* e = events->next()) {
            report_.journal_next = e->sequence() + 1;
            if (options_.stop && options_.stop())
                return fail(errc::timed_out, "interrupted");
            if (std::exchange(is_first, false)) {
                report_.first = e->sequence();
                if (auto there = source_.seek(e->sequence()); !there)
                    return std::unexpected(std::move(there.error()));
            }
            if (e->sequence() < report_.next)
                if (auto done = compare(*e); !done)
                    return std::unexpected(std::move(done.error()));
        }
        if (const auto end = events->finish(); !end)
            return std::unexpected(end.error());
        note(stream_fault::changed, std::max(report_.journal_next, report_.first), report_.next);
        return std::move(report_);
    }

  private:
    void note(stream_fault fault, sequence_number first, sequence_number end) {
        if (first >= end)
            return;
        auto& faults = report_.faults;
        if (!faults.empty() && faults.back().fault == fault && faults.back().end == first)
            faults.back().end = end;
        else
            faults.push_back({fault, first, end});
    }

    [[nodiscard]] result<void> compare(const event& mine) {
        const sequence_number at = mine.sequence();
        if (!message_ || message_->sequence < at)
            if (auto read = read_message(at); !read)
                return read;
        if (message_->sequence > at)
            note(stream_fault::missing, at, at + 1);
        else if (!message_->event)
            note(stream_fault::damaged, at, at + 1);
        else if (message_->event->content_hash() != mine.content_hash() &&
                 !stands_for(mine, *message_->event))
            note(stream_fault::changed, at, at + 1);
        return {};
    }

    [[nodiscard]] result<void> read_message(sequence_number at) {
        auto stored = source_.next(source_.stream().options().timeout);
        if (!stored && stored.error().code == errc::damaged) {
            message_ = stored_message{.sequence = stored.error().sequence};
            return {};
        }
        if (!stored)
            return std::unexpected(std::move(stored.error()));
        if (!*stored)
            return std::unexpected(error{.code = errc::timed_out,
                                         .sequence = at,
                                         .detail = "NATS: no message came in time"});
        const sequence_number sequence = (*stored)->sequence();
        message_ = stored_message{.sequence = sequence, .event = std::move(*stored)};
        return {};
    }

    nats_source source_;
    const audit_options& options_;
    stream_audit report_{};
    std::optional<stored_message> message_{};
};

}  // namespace

std::string_view to_string(stream_fault fault) noexcept {
    switch (fault) {
        case stream_fault::missing:
            return "missing";
        case stream_fault::damaged:
            return "damaged";
        case stream_fault::changed:
            return "changed";
    }
    return "unknown";
}

result<stream_audit> audit_stream(const nats_options& stream, const audit_options& options) {
    auto source = nats_source::open(stream);
    if (!source)
        return std::unexpected(std::move(source.error()));
    return audit_run{std::move(*source), options}.run();
}

}  // namespace pawl::relay
