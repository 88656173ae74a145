// A small bank, as a decider: what the tests of replay fold, snapshot and test scenarios with.
#pragma once

#include "bank_generated.h"

#include <pawl/codec/event_type.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>
#include <pawl/replay/snapshot.hpp>

#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <string>

namespace pawl {

template <>
struct event_traits<bank::deposited> {
    static constexpr std::uint16_t type = 1;
    static constexpr std::uint16_t schema_version = 1;
};
template <>
struct event_traits<bank::withdrawn> {
    static constexpr std::uint16_t type = 2;
    static constexpr std::uint16_t schema_version = 1;
};
template <>
struct event_traits<bank::renamed> {
    static constexpr std::uint16_t type = 3;
    static constexpr std::uint16_t schema_version = 1;
};
// Not among the bank's events: it stands for what a newer program writes.
template <>
struct event_traits<bank::closed> {
    static constexpr std::uint16_t type = 4;
    static constexpr std::uint16_t schema_version = 1;
};

}  // namespace pawl

namespace bank {

struct account {
    std::int64_t balance = 0;
    std::uint64_t events = 0;
    std::uint64_t trail = 0;  // depends on the order of the account's events
    std::string name{};

    friend bool operator==(const account&, const account&) = default;
};

// Commands.
struct deposit {
    std::uint64_t account;
    std::int64_t amount;
};
struct withdraw {
    std::uint64_t account;
    std::int64_t amount;
};
struct transfer {
    std::uint64_t from;
    std::uint64_t to;
    std::int64_t amount;
};

struct ledger {
    struct state {
        std::map<std::uint64_t, account> accounts;
        friend bool operator==(const state&, const state&) = default;
    };
    using events = pawl::event_list<deposited, withdrawn, renamed>;

    static state initial() { return {}; }

    static void evolve(state& s, const deposited& e) {
        account& of = next(s, e.account(), 1);
        of.balance += e.amount();
    }
    static void evolve(state& s, const withdrawn& e) {
        account& of = next(s, e.account(), 2);
        of.balance -= e.amount();
    }
    static void evolve(state& s, const renamed& e) {
        next(s, e.account(), 3).name = e.name()->str();
    }

    enum class refusal : std::uint8_t { insufficient_funds, account_unknown };
    using outcome = std::expected<void, refusal>;

    static outcome decide(const deposit& c, const state&, pawl::decision& out) {
        if (c.amount != 0)
            out.append({.stream = c.account},
                       [&](auto& b) { return Createdeposited(b, c.account, c.amount); });
        return {};
    }
    static outcome decide(const withdraw& c, const state& s, pawl::decision& out) {
        const auto of = s.accounts.find(c.account);
        if (of == s.accounts.end())
            return std::unexpected(refusal::account_unknown);
        if (of->second.balance < c.amount)
            return std::unexpected(refusal::insufficient_funds);
        out.append({.stream = c.account},
                   [&](auto& b) { return Createwithdrawn(b, c.account, c.amount); });
        return {};
    }
    static outcome decide(const transfer& c, const state& s, pawl::decision& out) {
        if (auto taken = decide(withdraw{c.from, c.amount}, s, out); !taken)
            return taken;
        return decide(deposit{c.to, c.amount}, s, out);
    }

    static constexpr std::uint32_t state_version = 1;
    static pawl::result<void> save(const state& s, pawl::snapshot_sink& out);
    static pawl::result<state> load(std::span<const std::byte> bytes);

  private:
    static account& next(state& s, std::uint64_t number, std::uint64_t kind) {
        account& of = s.accounts[number];
        ++of.events;
        of.trail = of.trail * 31 + kind;
        return of;
    }
};

}  // namespace bank
