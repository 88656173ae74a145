// The events of one command, before they are in the journal.
#pragma once

#include <pawl/codec/decode.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/detail/kept_condition.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace pawl {

struct decision_limits {
    std::uint32_t events = 65536;
    std::size_t bytes = std::size_t{8} << 20;  // of payloads, each rounded up to 8
};

// Collects encoded events, then appends them to a journal as one batch: all or none. Reuse one
// object for all commands: it keeps its memory, so that deciding allocates nothing once it has
// grown. One thread at a time uses it.
class decision {
  public:
    explicit decision(decision_limits limits = {}) noexcept : limits_{limits} {}

    // Adds an event; the table that `build` returns determines its type. The metadata, tags and
    // conditions of `where` are copied. Returns nothing, so that `decide` can return the domain's
    // refusals alone: the first event that cannot be added (too_large if the decision is full,
    // out_of_memory, or whatever encoder::encode failed with) is kept in failure(), later events
    // are ignored, and execute() reports it instead of appending.
    template <event_build Build>
    void append(const event_header& where, Build&& build) {
        if (failure_) [[unlikely]]
            return;
        auto payload = encoder_.encode(build);
        if (!payload) [[unlikely]]
            failure_ = std::move(payload.error());
        else
            add(header_of<detail::built_table<Build>>(where), payload->bytes);
    }

    // The decision also depends on this stream, which it need not write: its events are appended
    // only if the stream is as expected then, without them. Fails with conflict otherwise, whose
    // error::stream names the stream. Conditions of a header that append() was given are added in
    // the same way. A decision without events is not appended, and so has no conditions.
    void require(stream_id stream, expect expected);

    // What the decision depends on besides the expected versions of its events. Valid until the
    // next append, require or clear.
    [[nodiscard]] std::span<const stream_condition> conditions() const noexcept {
        return conditions_;
    }

    // Why an event or condition could not be added since the last clear(); empty if all were.
    [[nodiscard]] const std::optional<error>& failure() const noexcept { return failure_; }

    [[nodiscard]] std::size_t size() const noexcept { return events_.size(); }
    [[nodiscard]] bool empty() const noexcept { return events_.empty(); }
    [[nodiscard]] const event_header& header(std::size_t index) const noexcept {
        return events_[index].header;
    }
    // Valid until the next append or clear.
    [[nodiscard]] typed_payload payload(std::size_t index) const noexcept;

    void clear() noexcept;

    // Publishes all events as one batch and returns the last one's receipt. Each event gets the
    // entries of `origin` but those for whose tags it has an entry of its own. The events stay in
    // the decision, and receipt() is valid until the next append_to or clear. Fails with failure(),
    // or like writer::begin_batch, batch::append and batch::commit, or with invalid_argument if the
    // decision is empty; on failure nothing is published.
    [[nodiscard]] result<receipt> append_to(writer& log,
                                            std::span<const metadata_entry> origin = {}) noexcept;
    [[nodiscard]] const receipt& receipt_of(std::size_t index) const noexcept {
        return events_[index].placed;
    }

  private:
    struct entry {
        event_header header;
        std::size_t word;   // where the payload starts in words_
        std::size_t bytes;  // its length
        std::size_t own;    // the first of its metadata in own_
        receipt placed{};   // once appended
    };

    void add(const event_header& header, std::span<const std::byte> payload);
    void add_conditions(std::span<const stream_condition> more);
    void add_unless_full(const event_header& header, std::span<const std::byte> payload);
    // Keeps a copy of the event's metadata and tags, which become metadata, too.
    void keep_metadata(const event_header& header);
    // Where `bytes` were copied to in words_.
    [[nodiscard]] std::size_t copy(std::span<const std::byte> bytes);
    // The metadata in the decision lies where words_ and own_ are now.
    void find_metadata() noexcept;
    [[nodiscard]] bool is_about_its_event(const event_header& only) const noexcept;
    // Valid until the next call.
    [[nodiscard]] event_header with_origin(std::size_t index,
                                           std::span<const metadata_entry> origin);
    [[nodiscard]] result<receipt> append_all(writer& log, std::span<const metadata_entry> origin);

    decision_limits limits_;
    encoder encoder_;
    std::vector<entry> events_;
    std::vector<std::uint64_t> words_;    // payloads and metadata, each at a multiple of 8
    std::vector<metadata_entry> own_;     // what `decide` gave the events
    std::vector<std::size_t> own_words_;  // where their values start in words_
    std::vector<metadata_entry> merged_;
    std::vector<stream_condition> conditions_;
    std::vector<std::unique_ptr<const detail::kept_condition>> unless_;
    std::optional<error> failure_;
};

}  // namespace pawl
