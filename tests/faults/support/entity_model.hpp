// What entities must do: balances, versions and remembered commands, as plain as can be.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

namespace pawl::test {

// Takes money out of an account or, if negative, puts it in; a copy of what is put in goes to
// another stream if that is not 0.
struct payment {
    stream_id account = 0;
    std::int64_t amount = 0;
    stream_id copied_to = 0;
};

// How a payment is sent.
struct sending {
    std::optional<std::uint64_t> id{};
    bool has_other_bytes = false;
    bool records_refusals = false;
    expect expected = expect::any();
    stream_condition also{};      // what its decision requires; none if the stream is 0
    std::uint32_t overtaken = 0;  // so many of its decisions are overtaken by a deposit of 1
};

// What comes of it. `code` is empty if it was carried out or refused.
struct answer_to_payment {
    std::optional<errc> code{};
    stream_id conflict = 0;
    bool refused = false;
    bool repeated = false;
    std::uint64_t events = 0;
    sequence_number first = 0;

    friend bool operator==(const answer_to_payment&, const answer_to_payment&) = default;
};

class entity_model {
  public:
    static constexpr stream_id streams = 5;
    static constexpr std::uint64_t window = 16;
    static constexpr std::uint32_t most_attempts = 3;

    [[nodiscard]] stream_version version(stream_id stream) const { return of(stream).version; }
    [[nodiscard]] std::int64_t balance(stream_id stream) const { return of(stream).balance; }
    [[nodiscard]] sequence_number next() const { return next_; }
    // The first event of the oldest command that must be remembered.
    [[nodiscard]] sequence_number oldest_remembered() const {
        return remembered_.empty() ? next_ : remembered_.front().first;
    }
    // The newest ids, for one that is sent again.
    [[nodiscard]] bool remembers(std::uint64_t id) const { return find(id) != nullptr; }

    void deposit(stream_id stream, std::int64_t amount) {
        of(stream).balance += amount;
        ++of(stream).version;
        ++next_;
    }

    [[nodiscard]] answer_to_payment send(const payment& pay, const sending& by) {
        if (const effect* known = by.id ? find(*by.id) : nullptr) {
            if (by.has_other_bytes)
                return {.code = errc::command_id_reused};
            return {.refused = known->refused,
                    .repeated = !known->refused,
                    .events = known->events,
                    .first = known->events == 0 ? 0 : known->first};
        }
        for (std::uint32_t attempt = 1;; ++attempt) {
            if (!by.expected.admits(version(pay.account)))
                return conflict(pay.account);
            const bool refuses = pay.amount > balance(pay.account);
            const bool is_overtaken = attempt <= by.overtaken;
            if (is_overtaken)
                deposit(pay.account, 1);
            if (refuses || pay.amount == 0)
                return without_events(by, refuses);
            if (is_overtaken && attempt < most_attempts)
                continue;
            if (is_overtaken)
                return conflict(pay.account);
            if (by.also.stream != 0 && !by.also.expected.admits(version(by.also.stream)))
                return conflict(by.also.stream);
            return carry_out(pay, by);
        }
    }

  private:
    struct stream_state {
        std::int64_t balance = 0;
        stream_version version = 0;
    };
    struct effect {
        std::uint64_t id = 0;
        sequence_number first = 0;
        std::uint64_t events = 0;
        bool refused = false;
    };

    [[nodiscard]] const stream_state& of(stream_id stream) const { return states_.at(stream); }
    [[nodiscard]] stream_state& of(stream_id stream) { return states_.at(stream); }
    [[nodiscard]] static answer_to_payment conflict(stream_id stream) {
        return {.code = errc::conflict, .conflict = stream};
    }
    [[nodiscard]] const effect* find(std::uint64_t id) const {
        for (const effect& each : remembered_) {
            if (each.id == id)
                return &each;
        }
        return nullptr;
    }
    void remember(const effect& one) {
        remembered_.push_back(one);
        if (remembered_.size() > window)
            remembered_.pop_front();
    }
    [[nodiscard]] answer_to_payment without_events(const sending& by, bool refused) {
        if (by.id && by.records_refusals) {
            remember({.id = *by.id, .first = next_, .events = 0, .refused = refused});
            ++next_;
        }
        return {.refused = refused};
    }
    [[nodiscard]] answer_to_payment carry_out(const payment& pay, const sending& by) {
        const sequence_number first = next_;
        deposit(pay.account, -pay.amount);
        if (pay.copied_to != 0)
            deposit(pay.copied_to, 1);
        if (by.id)
            remember({.id = *by.id, .first = first, .events = next_ - first});
        return {.events = next_ - first, .first = first};
    }

    // One stream more than is ever written; none at 0.
    std::array<stream_state, streams + 2> states_{};
    std::deque<effect> remembered_;
    sequence_number next_ = 0;
};

}  // namespace pawl::test
