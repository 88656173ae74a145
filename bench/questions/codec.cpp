// What do JSON and old events cost? Printing beside FlatBuffers' GenerateText and parsing beside
// its Parser, over the events of tools/exchange; an event of an old version beside the building of
// the new one from it.

#include "contenders/exchange_events.hpp"
#include "contenders/question.hpp"
#include "contenders/upcast_events.hpp"
#include "events_bfbs.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"
#include "measure/failure.hpp"

#include <flatbuffers/idl.h>

#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/json.hpp>
#include <pawl/codec/schema.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

// Events in one slice: a few tens of microseconds.
constexpr std::uint64_t slice = 1024;
constexpr unsigned slices = 100;

// An event, aligned as in a journal, and as JSON.
struct sample_event {
    std::vector<std::uint64_t> words;
    std::size_t bytes = 0;
    std::string json{};

    [[nodiscard]] std::span<const std::byte> payload() const {
        return std::as_bytes(std::span{words}).first(bytes);
    }
};

template <class Make>
sample_event make_event(Make make, std::uint64_t index) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(make(builder, index));
    sample_event made{.words = std::vector<std::uint64_t>((builder.GetSize() + 7) / 8),
                      .bytes = builder.GetSize()};
    std::memcpy(made.words.data(), builder.GetBufferPointer(), made.bytes);
    return made;
}

// The events of one table, with what prints and parses them on either side.
struct table_events {
    template <class Make>
    table_events(const std::string& table, Make make) {
        auto loaded = pawl::schema::load(events_bfbs(), table);
        theirs.opts.strict_json = true;
        theirs.opts.indent_step = -1;
        const auto* bfbs = reinterpret_cast<const std::uint8_t*>(events_bfbs().data());
        if (!loaded || !theirs.Deserialize(bfbs, events_bfbs().size()) ||
            !theirs.SetRootType(table.c_str())) {
            throw failure("the schema of the exchange's events cannot be loaded");
        }
        ours = std::make_unique<pawl::schema>(std::move(*loaded));
        parse = std::make_unique<pawl::json_parser>(*ours);
        for (std::uint64_t i = 0; i < slice / 4; ++i) {
            events.push_back(make_event(make, 1'000'000 + i));
            if (!pawl::json_printer{*ours}.print(events.back().payload(), events.back().json)) {
                throw failure("an event of the exchange cannot be printed");
            }
        }
    }

    std::unique_ptr<pawl::schema> ours;
    std::unique_ptr<pawl::json_parser> parse;
    flatbuffers::Parser theirs;
    std::vector<sample_event> events;
};

using all_tables = std::vector<std::unique_ptr<table_events>>;

all_tables make_tables() {
    all_tables made;
    made.push_back(std::make_unique<table_events>("exchange.accepted", make_accepted));
    made.push_back(std::make_unique<table_events>("exchange.filled", make_filled));
    made.push_back(std::make_unique<table_events>("exchange.cancelled", make_cancelled));
    made.push_back(std::make_unique<table_events>("exchange.replaced", make_replaced));
    return made;
}

// A contender that does one thing with every event, and must not fail.
template <class Work>
contender over_events(const options& asked, const all_tables& tables, const char* name, Work work) {
    const auto run = [&asked, &tables, work]() -> sample {
        const pinned here(asked.writer_core());
        bool right = true;
        stopwatch watch;
        for (const auto& table : tables) {
            for (const sample_event& one : table->events) {
                right = work(*table, one) && right;
            }
        }
        const auto taken = watch.stop();
        if (!right) {
            throw failure("an event of the exchange could not be printed or parsed");
        }
        return {.events = slice, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = name, .run = run};
}

void ask_json(context& run) {
    const auto tables = make_tables();
    std::string text;
    contest printing("codec");
    const auto add = [&](contest& to, const char* variant, contender one) {
        one.variant = variant;
        return to.add(std::move(one));
    };
    const auto print_theirs =
        add(printing, "print JSON",
            over_events(run.asked, tables, "flatbuffers, GenerateText",
                        [&text](table_events& of, const sample_event& one) {
                            text.clear();
                            return flatbuffers::GenerateText(of.theirs, one.words.data(), &text);
                        }));
    const auto print_ours = add(
        printing, "print JSON",
        over_events(run.asked, tables, "pawl", [&text](table_events& of, const sample_event& one) {
            text.clear();
            return pawl::json_printer{*of.ours}.print(one.payload(), text).has_value();
        }));
    printing.run(run.asked.few_rounds(), slices, run.progress);

    contest parsing("codec");
    const auto parse_theirs = add(parsing, "parse JSON",
                                  over_events(run.asked, tables, "flatbuffers, Parser",
                                              [](table_events& of, const sample_event& one) {
                                                  return of.theirs.ParseJson(one.json.c_str());
                                              }));
    const auto parse_ours =
        add(parsing, "parse JSON",
            over_events(run.asked, tables, "pawl", [](table_events& of, const sample_event& one) {
                return (*of.parse)(one.json).has_value();
            }));
    parsing.run(run.asked.few_rounds(), slices, run.progress);

    for (const auto id : {print_theirs, print_ours}) {
        run.found.rows.push_back(printing.line(id, {{print_theirs}}));
    }
    for (const auto id : {parse_theirs, parse_ours}) {
        run.found.rows.push_back(parsing.line(id, {{parse_theirs}}));
    }
    run.found.verdicts.push_back(
        {.question = "printing JSON, times as fast as GenerateText",
         .reached = printing.ratio(print_theirs, {{print_ours}}, figure::mean),
         .limit = 3,
         .at_least = true,
         .unreliable = printing.spread({{print_theirs}}, figure::mean) > unreliable_spread});
    run.found.verdicts.push_back(
        {.question = "parsing JSON, times as fast as FlatBuffers' Parser",
         .reached = parsing.ratio(parse_theirs, {{parse_ours}}, figure::mean),
         .limit = 1,
         .at_least = true,
         .unreliable = parsing.spread({{parse_theirs}}, figure::mean) > unreliable_spread});
}

struct quantity_sum {
    std::uint64_t sum = 0;
    void operator()(const repriced& one) { sum += one.quantity(); }
};

contender dispatched(const options& asked, const char* name, std::uint16_t version,
                     std::vector<sample_event> events) {
    const auto run = [&asked, version, events = std::move(events)]() -> sample {
        const pinned here(asked.writer_core());
        quantity_sum visitor;
        stopwatch watch;
        bool right = true;
        for (const sample_event& one : events) {
            // Every reader pays for verification, whatever the version.
            right = pawl::dispatch<pawl::event_list<repriced>>(
                        pawl::typed_payload{1, version, one.payload()}, visitor,
                        pawl::payload_check::trust)
                        .has_value() &&
                    right;
        }
        const auto taken = watch.stop();
        if (!right || visitor.sum == 0) {
            throw failure("an event could not be dispatched");
        }
        return {.events = events.size(), .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = name, .variant = "an event of 5 fields", .run = run};
}

// What a step does with an old event: reads its fields and builds the new table.
contender built_alone(const options& asked, std::vector<sample_event> old) {
    const auto builder = std::make_shared<flatbuffers::FlatBufferBuilder>();
    const auto run = [&asked, builder, old = std::move(old)]() -> sample {
        const pinned here(asked.writer_core());
        std::size_t bytes = 0;
        stopwatch watch;
        for (const sample_event& one : old) {
            builder->Clear();
            builder->Finish(
                make_new(*builder, *flatbuffers::GetRoot<v1::repriced>(one.payload().data())));
            bytes += builder->GetSize();
        }
        const auto taken = watch.stop();
        if (bytes == 0) {
            throw failure("nothing was built");
        }
        return {.events = old.size(), .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {
        .name = "flatbuffers, build the new table", .variant = "an event of 5 fields", .run = run};
}

void ask_upcast(context& run) {
    std::vector<sample_event> old;
    std::vector<sample_event> newest;
    for (std::uint64_t i = 0; i < slice; ++i) {
        old.push_back(make_event(make_old_repriced, 1'000'000 + i));
        newest.push_back(make_event(make_repriced, 1'000'000 + i));
    }
    contest upcasts("codec");
    const auto building = upcasts.add(built_alone(run.asked, old));
    const auto upcast = upcasts.add(dispatched(run.asked, "pawl, upcast one to one", 1, old));
    const auto in_place = upcasts.add(dispatched(run.asked, "pawl, its newest shape", 2, newest));
    upcasts.run(run.asked.few_rounds(), slices, run.progress);
    for (const auto id : {building, upcast, in_place}) {
        run.found.rows.push_back(upcasts.line(id, {{building}}));
    }
    run.found.verdicts.push_back(
        {.question = "an upcast one to one, ns beyond building the new table",
         .reached = upcasts.median(upcast, figure::mean) - upcasts.median(building, figure::mean),
         .limit = 10,
         .unreliable = upcasts.spread({{building}}, figure::mean) > unreliable_spread});
}

}  // namespace

void ask_codec(context& run) {
    ask_json(run);
    ask_upcast(run);
}

}  // namespace bench
