// The projection that the tests keep, and the journal that it follows.
#pragma once

#include "bank_generated.h"

#include <sqlite3.h>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/codec/encoder.hpp>
#include <pawl/codec/event_type.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/sqlite/projection_audit.hpp>
#include <pawl/sqlite/projector.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

template <>
struct pawl::event_traits<bank::deposited> : pawl::event_number<1> {};
template <>
struct pawl::event_traits<bank::withdrawn> : pawl::event_number<2> {};
template <>
struct pawl::event_traits<bank::renamed> : pawl::event_number<3> {};

namespace pawl::test {

constexpr std::chrono::nanoseconds now{0};
constexpr std::chrono::seconds long_enough{60};

// Version 2 also counts the events of an account. A balance below 0 fails.
template <std::uint32_t Version>
struct balances_of {
    static constexpr std::string_view name = "balances";
    static constexpr std::uint32_t version = Version;
    using events = event_list<bank::deposited, bank::withdrawn>;

    static result<void> create(projection_tables& to) {
        auto made = to.run(
            "create table {balances} (account integer primary key, "
            "balance integer not null check (balance >= 0), events integer, trail integer) strict");
        return made ? to.run("create index {by_balance} on {balances} (balance)") : made;
    }
    static result<void> apply(projection_tables& to, const bank::deposited& e, const event& at) {
        return add(to, e.account(), e.amount(), at);
    }
    static result<void> apply(projection_tables& to, const bank::withdrawn& e, const event& at) {
        return add(to, e.account(), -e.amount(), at);
    }
    static std::uint64_t key(const auto& e) { return e.account(); }

  private:
    // The trail depends on the order of an account's events. The first statement has an effect even
    // where the second fails.
    static result<void> add(projection_tables& to, std::uint64_t account, std::int64_t amount,
                            const event& at) {
        if (auto made = to.run("insert into {balances} values (?1, 0, 1, 0) on conflict do update "
                               "set events = events + 1",
                               account);
            !made)
            return made;
        return to.run(
            "update {balances} set balance = balance + ?2, "
            "trail = (trail * 31 + ?3) % 1000000007 where account = ?1",
            account, amount, at.sequence());
    }
};
using balances = balances_of<1>;

struct projected_journal {
    temporary_directory home;
    std::filesystem::path directory = home.path() / "j";
    std::filesystem::path database = home.path() / "views.db";
    std::optional<writer> log;
    encoder encode;

    projected_journal() { open(); }
    void open() {
        log = must(writer::open(directory, {.segment_bytes = 64 << 10,
                                            .sync = sync_policy::manual(),
                                            .clock_report_interval_s = 0}));
    }
    void close() {
        must(log->close());
        log.reset();
    }
    sequence_number deposit(std::uint64_t account, std::int64_t amount) {
        return put(*log, account, amount);
    }
    sequence_number withdraw(std::uint64_t account, std::int64_t amount) {
        return must(encode.append(
                        *log, {.stream = account},
                        [&](auto& b) { return bank::Createwithdrawn(b, account, amount); }))
            .sequence;
    }
    // An event that concerns no balance.
    sequence_number rename(std::uint64_t account) {
        return must(encode.append(*log, {.stream = account},
                                  [&](auto& b) {
                                      return bank::Createrenamed(b, account,
                                                                 b.CreateString("name"));
                                  }))
            .sequence;
    }
    void batch(const std::vector<std::pair<std::uint64_t, std::int64_t>>& deposits) {
        auto all = must(
            log->begin_batch(static_cast<std::uint32_t>(deposits.size()), deposits.size() * 256));
        for (const auto& [account, amount] : deposits)
            put(all, account, amount);
        must(all.commit());
    }
    void sync() { must(log->sync()); }

    [[nodiscard]] projector open_projector(projector_options options = {}) const {
        return must(projector::open(directory, database, std::move(options)));
    }
    template <class P = balances>
    [[nodiscard]] projector follow(failure_policy policy = stop_at_failure{},
                                   projector_options options = {}) const {
        auto made = open_projector(std::move(options));
        must(made.template add<P>(policy));
        return made;
    }
    // What readers of the database see: rows of a query, their columns divided by commas.
    [[nodiscard]] std::string ask(const std::string& query) const;
    template <class P = balances>
    [[nodiscard]] std::string difference(const audit_options& options = {}) const {
        const auto audit = must(equals_fold<P>(directory, database, options));
        return audit.difference ? audit.difference->message() : "";
    }

  private:
    sequence_number put(event_sink auto& sink, std::uint64_t account, std::int64_t amount) {
        return must(encode.append(
                        sink, {.stream = account},
                        [&](auto& b) { return bank::Createdeposited(b, account, amount); }))
            .sequence;
    }
};

inline std::string projected_journal::ask(const std::string& query) const {
    sqlite3* opened = nullptr;
    REQUIRE(sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    std::string rows;
    const auto add = [](void* to, int columns, char** values, char**) {
        auto& text = *static_cast<std::string*>(to);
        text += text.empty() ? "" : " ";
        for (int i = 0; i < columns; ++i) {
            text += i == 0 ? "" : ",";
            text += values[i] == nullptr ? "NULL" : values[i];
        }
        return 0;
    };
    char* why = nullptr;
    if (sqlite3_exec(opened, query.c_str(), add, &rows, &why) != SQLITE_OK)
        rows = std::string{"error: "} + why;
    sqlite3_free(why);
    sqlite3_close(opened);
    return rows;
}

// Until there is nothing left to do.
inline void drain(projector& of) {
    while (must(of.advance(now))) {
    }
}

// What stops it.
[[nodiscard]] inline error failure_of(projector& of) {
    for (;;) {
        auto moved = of.advance(now);
        if (!moved)
            return std::move(moved.error());
        REQUIRE(*moved);
    }
}

template <class Outcome>
Outcome as(projected::outcome from) {
    REQUIRE(std::holds_alternative<Outcome>(from));
    return std::get<Outcome>(std::move(from));
}

constexpr const char* all_balances = "select account, balance from balances order by 1";

}  // namespace pawl::test
