#include "relay/nats_stream.hpp"

#include "relay/took_over.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace pawl::relay {

namespace {

constexpr std::string_view subject_begin = "pawl.journal.";
constexpr std::string_view segments_begin = "A Pawl journal; bytes in a segment: ";
constexpr std::uint64_t default_segment_bytes = 256ull << 20;

[[nodiscard]] jsOptions request_options(const nats_options& options) {
    jsOptions made;
    jsOptions_Init(&made);
    made.Wait = options.timeout.count();
    return made;
}

[[nodiscard]] std::unexpected<error> refused(const nats_options& options, std::string why) {
    return fail(errc::invalid_argument,
                fmt::format("NATS: stream {} {}", options.stream, std::move(why)));
}

[[nodiscard]] std::uint64_t segment_bytes_in(const char* description) {
    std::uint64_t bytes = 0;
    const std::string_view text = description != nullptr ? description : "";
    if (!text.starts_with(segments_begin))
        return default_segment_bytes;
    const char* const end = text.data() + text.size();
    const auto [at, problem] = std::from_chars(text.data() + segments_begin.size(), end, bytes);
    return problem == std::errc{} && at == end ? bytes : default_segment_bytes;
}

}  // namespace

std::string subject_of(const journal_id& origin) {
    return std::string{subject_begin} + hex_of(origin);
}

std::optional<journal_id> origin_in(std::string_view subject) {
    if (!subject.starts_with(subject_begin))
        return std::nullopt;
    const auto bytes = cli::from_hex(subject.substr(subject_begin.size()));
    journal_id origin{};
    if (!bytes || bytes->size() != origin.size())
        return std::nullopt;
    std::ranges::copy(*bytes, std::as_writable_bytes(std::span{origin}).begin());
    return origin;
}

result<void> nats_stream::connect() {
    natsOptions* raw_options = nullptr;
    natsStatus status = natsOptions_Create(&raw_options);
    const options_handle made{raw_options};
    std::vector<const char*> servers;
    servers.reserve(options_.servers.size());
    for (const std::string& each : options_.servers)
        servers.push_back(each.c_str());
    const auto set = [&](natsStatus done) {
        if (status == NATS_OK)
            status = done;
    };
    if (status == NATS_OK) {
        set(natsOptions_SetServers(raw_options, servers.data(), static_cast<int>(servers.size())));
        set(natsOptions_SetTimeout(raw_options, options_.timeout.count()));
        set(natsOptions_SetName(raw_options, "pawl"));
        // A lost connection is an error: whoever uses it must find out again what is stored.
        set(natsOptions_SetAllowReconnect(raw_options, false));
        if (!options_.credentials.empty())
            set(natsOptions_SetUserCredentialsFromFiles(raw_options, options_.credentials.c_str(),
                                                        nullptr));
    }
    natsConnection* raw = nullptr;
    if (status == NATS_OK)
        status = natsConnection_Connect(&raw, raw_options);
    connection_.reset(raw);
    if (status != NATS_OK)
        return std::unexpected(nats_failure(status, "connect to " + options_.servers.front()));
    jsCtx* context = nullptr;
    jsOptions asked = request_options(options_);
    status = natsConnection_JetStream(&context, raw, &asked);
    context_.reset(context);
    if (status != NATS_OK)
        return std::unexpected(nats_failure(status, "use JetStream"));
    return {};
}

result<stream_info_handle> nats_stream::info() {
    jsStreamInfo* raw = nullptr;
    jsErrCode code{};
    jsOptions asked = request_options(options_);
    const natsStatus status =
        js_GetStreamInfo(&raw, context_.get(), options_.stream.c_str(), &asked, &code);
    if (status == NATS_NOT_FOUND)
        return fail(errc::not_found, "NATS: there is no stream " + options_.stream);
    if (status != NATS_OK)
        return std::unexpected(nats_failure(status, "read stream " + options_.stream, code));
    return stream_info_handle{raw};
}

result<void> nats_stream::add(const journal_facts& of) {
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const std::string subject = subject_of(of.origin);
    std::array<const char*, 1> subjects{subject.c_str()};
    const std::string description = fmt::format("{}{}", segments_begin, of.segment_bytes);
    config.Name = options_.stream.c_str();
    config.Description = description.c_str();
    config.Subjects = subjects.data();
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Replicas = options_.replicas;
    config.DenyDelete = true;
    config.DenyPurge = true;
    jsErrCode code{};
    jsOptions asked = request_options(options_);
    const natsStatus status = js_AddStream(nullptr, context_.get(), &config, &asked, &code);
    if (status != NATS_OK)
        return std::unexpected(nats_failure(
            status,
            fmt::format("create stream {} with {} replicas", options_.stream, options_.replicas),
            code));
    return {};
}

result<void> nats_stream::check(const jsStreamConfig& config,
                                const std::optional<journal_facts>& asked) {
    const std::string_view subject = config.SubjectsLen == 1 ? config.Subjects[0] : "";
    const auto origin = origin_in(subject);
    if (!origin)
        return refused(options_, "does not hold a Pawl journal");
    journal_ = {.origin = *origin, .segment_bytes = segment_bytes_in(config.Description)};
    subject_ = subject;
    if (!asked)
        return {};
    if (*origin != asked->origin)
        return refused(options_, fmt::format("belongs to another journal: its subject is {}, that "
                                             "of this journal {}",
                                             subject, subject_of(asked->origin)));
    if (config.Retention != js_LimitsPolicy || config.MaxMsgs > 0 || config.MaxBytes > 0 ||
        config.MaxAge > 0 || config.MaxMsgsPerSubject > 0)
        return refused(options_, "has limits by which it drops messages");
    if (config.Storage != js_FileStorage)
        return refused(options_, "is not stored in files");
    if (config.Replicas < std::int64_t{options_.replicas})
        return refused(options_, fmt::format("has {} replicas, and {} were asked for",
                                             config.Replicas, options_.replicas));
    return {};
}

result<nats_stream> nats_stream::open(const nats_options& options,
                                      const std::optional<journal_facts>& create) {
    nats_stream made;
    made.options_ = options;
    if (auto connected = made.connect(); !connected)
        return std::unexpected(std::move(connected.error()));
    auto found = made.info();
    if (!found && found.error().code == errc::not_found && create) {
        if (auto added = made.add(*create); !added)
            return std::unexpected(std::move(added.error()));
        found = made.info();
    }
    if (!found)
        return std::unexpected(std::move(found.error()));
    if (auto checked = made.check(*(*found)->Config, create); !checked)
        return std::unexpected(std::move(checked.error()));
    return made;
}

result<stored_end> nats_stream::end() {
    const auto state = info();
    if (!state)
        return std::unexpected(state.error());
    if ((*state)->State.LastSeq == 0)
        return stored_end{};
    // By its sequence: a relay that was stuck after servers had been killed, as if the last message
    // of the subject were an earlier one, went on when it asked in this way.
    natsMsg* raw = nullptr;
    jsErrCode code{};
    jsOptions asked = request_options(options_);
    const natsStatus status = js_GetMsg(&raw, context_.get(), options_.stream.c_str(),
                                        (*state)->State.LastSeq, &asked, &code);
    const message_handle last{raw};
    if (status == NATS_NOT_FOUND)
        return fail(errc::diverged, fmt::format("NATS: stream {} has lost all of its {} messages",
                                                options_.stream, (*state)->State.LastSeq));
    if (status != NATS_OK)
        return std::unexpected(
            nats_failure(status, "read the last message of stream " + options_.stream, code));
    const auto stored = from_nats(raw);
    if (!stored)
        return std::unexpected(stored.error());
    offset_ = natsMsg_GetSequence(raw) - stored->sequence();
    return stored_end{.next = stored->sequence() + 1,
                      .content_hash = stored->content_hash(),
                      .more_in_batch = stored->more_in_batch(),
                      .empty = false};
}

result<sequence_number> nats_stream::first() {
    const auto state = info();
    if (!state)
        return std::unexpected(state.error());
    return (*state)->State.FirstSeq - *offset_;
}

result<std::optional<stored_event>> nats_stream::find(sequence_number sequence) {
    natsMsg* raw = nullptr;
    jsErrCode code{};
    jsOptions asked = request_options(options_);
    const natsStatus status = js_GetMsg(&raw, context_.get(), options_.stream.c_str(),
                                        sequence + *offset_, &asked, &code);
    const message_handle message{raw};
    if (status == NATS_NOT_FOUND)
        return std::optional<stored_event>{};
    if (status != NATS_OK)
        return std::unexpected(
            nats_failure(status, fmt::format("read event {} from the stream", sequence), code));
    auto stored = from_nats(raw);
    if (!stored)
        return std::unexpected(std::move(stored.error()));
    if (stored->sequence() != sequence)
        return std::unexpected(error{
            .code = errc::damaged,
            .sequence = sequence,
            .detail = fmt::format("the stream holds event {} at its place", stored->sequence())});
    return std::move(*stored);
}

result<void> nats_stream::append(sequence_number sequence, const event_message& message) {
    auto made = to_nats(message, subject_, sequence + *offset_);
    if (!made)
        return std::unexpected(std::move(made.error()));
    jsErrCode code{};
    const natsStatus status = js_PublishMsg(nullptr, context_.get(), made->get(), nullptr, &code);
    if (code == JSStreamWrongLastSequenceErr)
        return std::unexpected(error{.code = errc::conflict,
                                     .sequence = sequence,
                                     .detail = "NATS: the stream does not end before this event"});
    if (status != NATS_OK)
        return std::unexpected(
            nats_failure(status, fmt::format("publish event {}", sequence), code));
    return {};
}

}  // namespace pawl::relay
