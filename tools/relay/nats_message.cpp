#include "relay/nats_stream.hpp"

#include <cstdlib>
#include <string>

namespace pawl::relay {

namespace {

constexpr const char* expected_header = "Nats-Expected-Last-Sequence";
constexpr const char* header_begin = "NATS/1.0\r\n";

// "Key: value\r\n"
[[nodiscard]] std::uint64_t line_bytes(std::string_view key, std::string_view value) {
    return key.size() + value.size() + 4;
}

[[nodiscard]] std::vector<std::string> values_of(natsMsg* message, const char* key) {
    std::vector<std::string> found;
    const char** values = nullptr;
    int count = 0;
    if (natsMsgHeader_Values(message, key, &values, &count) != NATS_OK)
        return found;
    found.assign(values, values + count);
    std::free(static_cast<void*>(values));
    return found;
}

}  // namespace

std::uint64_t size_of(const event_message& message, std::uint64_t stream_sequence) {
    std::uint64_t bytes = std::string_view{header_begin}.size() + 2 + message.payload.size() +
                          line_bytes(head_header, message.head) +
                          line_bytes(expected_header, std::to_string(stream_sequence - 1));
    if (!message.metadata.empty())
        bytes += line_bytes(metadata_header, message.metadata);
    for (const std::string& each : message.names)
        bytes += line_bytes(name_header, each);
    for (const std::string& each : message.descriptions)
        bytes += line_bytes(description_header, each);
    return bytes;
}

result<message_handle> to_nats(const event_message& message, const std::string& subject,
                               std::uint64_t stream_sequence) {
    natsMsg* raw = nullptr;
    natsStatus status = natsMsg_Create(&raw, subject.c_str(), nullptr,
                                       reinterpret_cast<const char*>(message.payload.data()),
                                       static_cast<int>(message.payload.size()));
    message_handle made{raw};
    const auto add = [&](const char* key, const std::string& value) {
        if (status == NATS_OK)
            status = natsMsgHeader_Add(raw, key, value.c_str());
    };
    // By hand: the client's own option takes 0, the beginning of a stream, for "not set".
    add(expected_header, std::to_string(stream_sequence - 1));
    add(head_header, message.head);
    if (!message.metadata.empty())
        add(metadata_header, message.metadata);
    for (const std::string& each : message.names)
        add(name_header, each);
    for (const std::string& each : message.descriptions)
        add(description_header, each);
    if (status != NATS_OK)
        return std::unexpected(nats_failure(status, "make a message"));
    return made;
}

result<stored_event> from_nats(natsMsg* message) {
    event_message read;
    const char* value = nullptr;
    if (natsMsgHeader_Get(message, head_header, &value) == NATS_OK)
        read.head = value;
    if (natsMsgHeader_Get(message, metadata_header, &value) == NATS_OK)
        read.metadata = value;
    read.names = values_of(message, name_header);
    read.descriptions = values_of(message, description_header);
    read.payload = {reinterpret_cast<const std::byte*>(natsMsg_GetData(message)),
                    static_cast<std::size_t>(natsMsg_GetDataLength(message))};
    return stored_event::from(read);
}

}  // namespace pawl::relay
