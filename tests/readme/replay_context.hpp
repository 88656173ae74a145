#pragma once

#include "example_context.hpp"
#include "orders_generated.h"

#include <pawl/journal/journal.hpp>
#include <pawl/replay/as_of.hpp>
#include <pawl/replay/boundary.hpp>
#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/entities.hpp>
#include <pawl/replay/execute.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/merge_cursor.hpp>
#include <pawl/replay/parallel_fold.hpp>
#include <pawl/replay/reaction.hpp>
#include <pawl/replay/replay_check.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/scenario.hpp>
#include <pawl/replay/snapshot.hpp>
#include <pawl/replay/snapshot_audit.hpp>
#include <pawl/replay/snapshot_check.hpp>
#include <pawl/replay/snapshot_follower.hpp>
#include <pawl/replay/state_fields.hpp>
#include <pawl/replay/subscription.hpp>
#include <pawl/replay/table_state.hpp>
#include <pawl/replay/tool_main.hpp>

#include <chrono>
#include <cstring>
#include <map>
#include <string>

template <>
struct pawl::event_traits<deposited> {
    static constexpr std::uint16_t type = 1;
    static constexpr std::uint16_t schema_version = 1;
};

template <>
struct pawl::event_traits<withdrawn> {
    static constexpr std::uint16_t type = 2;
    static constexpr std::uint16_t schema_version = 1;
};

namespace examples {

// As a test framework defines it.
void require(bool holds, const std::string& why);

bool serving();
extern const std::uint64_t two_past_two_ns;
extern const std::uint64_t week_ns;

struct withdraw {
    std::uint64_t account = 0;
    std::int64_t amount = 0;
};

// Courses with room for so many, and students' weeks.
struct capacity {
    struct state {
        bool is_full() const;
    };
    using events = pawl::event_list<deposited, withdrawn>;

    state initial() const;
    void evolve(state& s, const deposited& e) const;
    void evolve(state& s, const withdrawn& e) const;
};
struct schedule {
    struct state {
        bool is_busy(std::uint64_t slot) const;
    };
    using events = pawl::event_list<deposited, withdrawn>;

    state initial() const;
    void evolve(state& s, const deposited& e) const;
    void evolve(state& s, const withdrawn& e) const;
};
enum class refusal { no_room };
extern const std::uint64_t course_id;
extern const std::uint64_t student_id;
extern const std::uint64_t slot;
extern pawl::encoder encode;
flatbuffers::Offset<deposited> build_enrolled(flatbuffers::FlatBufferBuilder& b);
anything report(const pawl::result<capacity::state>& course,
                const pawl::result<schedule::state>& student);

extern const pawl::message_id id;  // of a command, as its sender chose it

// A fold that can do everything.
struct exchange {
    struct state {};
    using events = pawl::event_list<deposited, withdrawn>;

    static constexpr std::uint32_t state_version = 1;

    state initial() const;
    void evolve(state& s, const deposited& e) const;
    void evolve(state& s, const withdrawn& e) const;
    void merge(state& into, state from) const;
    pawl::result<void> save(const state& s, pawl::snapshot_sink& out) const;
    pawl::result<state> load(std::span<const std::byte> from) const;
};
struct audited : exchange {
    std::uint64_t digest(const state& s) const;
};
using yesterday = audited;
struct described : exchange {
    std::vector<pawl::state_field> describe(const state& s) const;
};
flatbuffers::Offset<flatbuffers::Vector<const ledger_row*>> rows(flatbuffers::FlatBufferBuilder& b,
                                                                 const described::state& s);
described::state state_of(const ledger_rows& table);
extern const pawl::restored<described> before;
extern const pawl::restored<described> after;
extern const int argc;
extern const char* const* const argv;

}  // namespace examples
