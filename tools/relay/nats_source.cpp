#include "relay/nats_source.hpp"

#include <utility>

namespace pawl::relay {

result<nats_source> nats_source::open(const nats_options& options) {
    auto stream = nats_stream::open(options, std::nullopt);
    if (!stream)
        return std::unexpected(std::move(stream.error()));
    const auto end = stream->end();
    if (!end)
        return std::unexpected(end.error());
    if (end->empty)
        return fail(errc::not_found, "NATS: stream " + options.stream + " holds no event yet");
    return nats_source{std::move(*stream), *end};
}

result<void> nats_source::seek(sequence_number sequence) {
    events_.reset();
    jsCtx* context = nullptr;
    natsStatus status = natsConnection_JetStream(&context, stream_.connection(), nullptr);
    context_.reset(context);
    if (status != NATS_OK)
        return std::unexpected(nats_failure(status, "use JetStream"));
    jsSubOptions asked;
    jsSubOptions_Init(&asked);
    asked.Stream = stream_.options().stream.c_str();
    asked.Ordered = true;
    asked.Config.DeliverPolicy = js_DeliverByStartSequence;
    asked.Config.OptStartSeq = sequence + *stream_.offset();
    natsSubscription* raw = nullptr;
    jsErrCode code{};
    status = js_SubscribeSync(&raw, context, stream_.subject().c_str(), nullptr, &asked, &code);
    events_.reset(raw);
    if (status != NATS_OK)
        return std::unexpected(nats_failure(status, "read the stream", code));
    return {};
}

result<std::optional<stored_event>> nats_source::next(std::chrono::milliseconds timeout) {
    natsMsg* raw = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&raw, events_.get(), timeout.count());
    const message_handle message{raw};
    if (status == NATS_TIMEOUT)
        return std::optional<stored_event>{};
    if (status != NATS_OK)
        return std::unexpected(nats_failure(status, "read the stream"));
    jsMsgMetaData* raw_meta = nullptr;
    if (natsMsg_GetMetaData(&raw_meta, raw) != NATS_OK)
        return fail(errc::io, "NATS: a message without a stream sequence");
    const meta_data_handle meta{raw_meta};
    const sequence_number place = meta->Sequence.Stream - *stream_.offset();
    auto stored = from_nats(raw);
    if (!stored) {
        stored.error().sequence = place;
        return std::unexpected(std::move(stored.error()));
    }
    if (stored->sequence() != place)
        return std::unexpected(
            error{.code = errc::damaged,
                  .sequence = place,
                  .detail = fmt::format("the stream holds event {} here", stored->sequence())});
    return std::move(*stored);
}

}  // namespace pawl::relay
