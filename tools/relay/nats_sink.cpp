#include "relay/nats_sink.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace pawl::relay {

// What the client's threads report about one connection. The client may still call back while a
// connection is being destroyed, and does not say when it has done so for the last time, so these
// live as long as the process: about 200 bytes for each connection that was lost.
struct nats_sink::acknowledgements {
    std::mutex lock;
    std::condition_variable changed;
    std::uint64_t stored = 0;  // the greatest stream sequence that was acknowledged
    std::uint64_t in_flight = 0;
    std::uint64_t bytes_in_flight = 0;
    // When something was acknowledged, or sent while nothing was in flight.
    std::chrono::steady_clock::time_point heard{};
    std::optional<error> failure;

    static acknowledgements& make() {
        static std::mutex guard;
        static std::deque<acknowledgements> all;
        const std::scoped_lock hold{guard};
        return all.emplace_back();
    }

    void fail_with(error why) {
        const std::scoped_lock hold{lock};
        if (!failure)
            failure = std::move(why);
        changed.notify_all();
    }

    static void acknowledged(jsCtx* /*js*/, natsMsg* message, jsPubAck* done, jsPubAckErr* failed,
                             void* closure) {
        auto& self = *static_cast<acknowledgements*>(closure);
        {
            const std::scoped_lock hold{self.lock};
            --self.in_flight;
            self.heard = std::chrono::steady_clock::now();
            self.bytes_in_flight -= static_cast<std::uint64_t>(natsMsg_GetDataLength(message));
            if (done != nullptr) {
                self.stored = std::max(self.stored, done->Sequence);
            } else if (!self.failure) {
                const bool is_late = failed->ErrCode == JSStreamWrongLastSequenceErr;
                self.failure = error{.code = is_late ? errc::conflict : errc::io,
                                     .detail = fmt::format("NATS: a message was refused: {}",
                                                           failed->ErrText != nullptr
                                                               ? failed->ErrText
                                                               : natsStatus_GetText(failed->Err))};
            }
            self.changed.notify_all();
        }
        natsMsg_Destroy(message);
    }
};

nats_sink::nats_sink(nats_options options, const journal_facts& journal)
    : options_{std::move(options)}, journal_{journal} {}

nats_sink::~nats_sink() {
    end_connection();
}

void nats_sink::end_connection() {
    publishing_.reset();
    stream_.reset();
}

result<stored_end> nats_sink::open() {
    end_connection();
    auto opened = nats_stream::open(options_, journal_);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    stream_.emplace(std::move(*opened));
    current_ = &acknowledgements::make();
    jsOptions asked;
    jsOptions_Init(&asked);
    asked.Wait = options_.timeout.count();
    asked.PublishAsync.AckHandler = &acknowledgements::acknowledged;
    asked.PublishAsync.AckHandlerClosure = current_;
    jsCtx* context = nullptr;
    const natsStatus status = natsConnection_JetStream(&context, stream_->connection(), &asked);
    publishing_.reset(context);
    if (status != NATS_OK)
        return std::unexpected(nats_failure(status, "use JetStream"));
    return stream_->end();
}

result<std::optional<stored_event>> nats_sink::find(sequence_number sequence) {
    return stream_->find(sequence);
}

result<void> nats_sink::make_room(std::uint64_t bytes) {
    std::unique_lock hold{current_->lock};
    const auto has_room = [&] {
        return current_->in_flight < options_.window &&
               (current_->in_flight == 0 ||
                current_->bytes_in_flight + bytes <= options_.window_bytes);
    };
    while (!current_->failure && !has_room()) {
        const std::uint64_t before = current_->in_flight;
        current_->changed.wait_for(hold, options_.timeout);
        if (!current_->failure && current_->in_flight == before && !has_room())
            return fail(errc::timed_out, "NATS: no message was acknowledged in time");
    }
    if (current_->failure)
        return std::unexpected(*current_->failure);
    if (current_->in_flight++ == 0)
        current_->heard = std::chrono::steady_clock::now();
    current_->bytes_in_flight += bytes;
    return {};
}

result<void> nats_sink::publish(sequence_number sequence, const event_message& message) {
    if (!stream_->offset())
        stream_->begin_with(sequence);
    const std::uint64_t place = sequence + *stream_->offset();
    const std::uint64_t bytes = size_of(message, place);
    const auto limit = static_cast<std::uint64_t>(
        std::max<std::int64_t>(natsConnection_GetMaxPayload(stream_->connection()), 0));
    if (limit != 0 && bytes > limit)
        return std::unexpected(
            error{.code = errc::too_large,
                  .sequence = sequence,
                  .size = bytes,
                  .limit = limit,
                  .detail = "NATS: max_payload of the server, headers included"});
    auto made = to_nats(message, stream_->subject(), place);
    if (!made)
        return std::unexpected(std::move(made.error()));
    if (auto room = make_room(message.payload.size()); !room)
        return room;
    natsMsg* raw = made->release();
    const natsStatus status = js_PublishMsgAsync(publishing_.get(), &raw, nullptr);
    if (status == NATS_OK)
        return {};
    natsMsg_Destroy(raw);
    return std::unexpected(nats_failure(status, "publish"));
}

result<sequence_number> nats_sink::confirmed(sequence_number above,
                                             std::chrono::milliseconds timeout) {
    std::unique_lock hold{current_->lock};
    const auto next = [&]() -> sequence_number {
        return current_->stored == 0 ? 0 : current_->stored - *stream_->offset() + 1;
    };
    current_->changed.wait_for(hold, timeout, [&] { return current_->failure || next() > above; });
    if (current_->failure)
        return std::unexpected(*current_->failure);
    // An acknowledgement may be lost with the server that owed it, and nobody says so.
    if (current_->in_flight != 0 &&
        std::chrono::steady_clock::now() - current_->heard > options_.timeout)
        return fail(errc::timed_out, "NATS: no message was acknowledged in time");
    return next();
}

}  // namespace pawl::relay
