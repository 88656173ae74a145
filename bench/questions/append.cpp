// What does an append cost while its segment has space? Raw bytes and typed events, alone and in
// batches, on the firehose and on named streams.

#include "contenders/floor_contenders.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/raw_log.hpp"
#include "contenders/typed_events.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/mapping.hpp"

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/codec/in_place.hpp>
#include <pawl/codec/prepared_event.hpp>

#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

// Visits all of `count` streams repeatedly, each once per pass and far from the previous one. A
// stream's version is then the number of passes, which costs the caller nothing.
class round_robin {
  public:
    explicit round_robin(std::uint64_t count)
        : count_(count), step_(count > 2 ? (count * 5 / 8) | 1 : 1) {
        while (std::gcd(step_, count_) != 1) {
            step_ += 2;
        }
    }
    pawl::event_header next() noexcept {
        const pawl::event_header where{.type = 1,
                                       .schema_version = 1,
                                       .stream = 1 + at_,
                                       .expected = pawl::expect::exactly(pass_)};
        at_ += step_;
        at_ = at_ >= count_ ? at_ - count_ : at_;
        if (++visited_ == count_) {
            visited_ = 0;
            ++pass_;
        }
        return where;
    }

  private:
    std::uint64_t count_;
    std::uint64_t step_;
    std::uint64_t at_ = 0;
    std::uint64_t visited_ = 0;
    std::uint64_t pass_ = 0;
};

constexpr pawl::event_header firehose{.type = 1, .schema_version = 1};

auto raw_append(const payloads& events) {
    return [&events](pawl::writer&) {
        return [&events](pawl::writer& log, std::uint64_t i) {
            return log.append(firehose, events.at(i)).has_value();
        };
    };
}

auto reserved_append(const payloads& events) {
    return [&events](pawl::writer&) {
        return [&events](pawl::writer& log, std::uint64_t i) {
            const auto payload = events.at(i);
            auto room = log.reserve(firehose, payload.size());
            if (!room) {
                return false;
            }
            std::memcpy(room->payload().data(), payload.data(), payload.size());
            return room->commit(payload.size()).has_value();
        };
    };
}

auto batch_append(const payloads& events, std::uint64_t each) {
    return [&events, each](pawl::writer&) {
        return [&events, each, room = events.largest_bytes() * each](pawl::writer& log,
                                                                     std::uint64_t call) {
            auto batch = log.begin_batch(static_cast<std::uint32_t>(each), room);
            if (!batch) {
                return false;
            }
            bool added = true;
            for (std::uint64_t i = call * each; i < (call + 1) * each; ++i) {
                added &= batch->append(firehose, events.at(i)).has_value();
            }
            return batch->commit().has_value() && added;
        };
    };
}

auto stream_append(const payloads& events, std::uint64_t streams) {
    return [&events, streams](pawl::writer& log) {
        round_robin order(streams);
        // Creates every stream before the first slice, so that its creation is not measured.
        for (std::uint64_t i = 0; i < streams; ++i) {
            must(log.append(order.next(), events.at(i)), "make a stream");
        }
        return [&events, order](pawl::writer& writer, std::uint64_t i) mutable {
            return writer.append(order.next(), events.at(i)).has_value();
        };
    };
}

void ask_raw(context& run, const std::filesystem::path& scratch, const context::load& load) {
    contest appends("append");
    const auto options = one_segment_options(run.asked);
    const auto slice = slice_events(load.events) / 64 * 64;
    const auto bytes = load.events.mean_bytes();
    const auto add = [&](const std::string& variant, std::uint64_t each, auto make) {
        return appends.add(pawl_append(scratch, run.asked, options,
                                       {.variant = load.name + ", " + variant,
                                        .payload_bytes = bytes,
                                        .events_in_a_slice = slice,
                                        .events_each = each},
                                       std::move(make)));
    };
    const auto floor = appends.add(floor_append(scratch, load, run.asked.writer_core()));
    const std::vector ids{
        add("raw bytes", 1, raw_append(load.events)),
        add("reserved space", 1, reserved_append(load.events)),
        add("batches of 16", 16, batch_append(load.events, 16)),
        add("batches of 64", 64, batch_append(load.events, 64)),
        add("1 stream, exactly(v)", 1, stream_append(load.events, 1)),
        // Leaves space for the events that create the streams: each contender appends one slice
        // less.
        add("1000 streams, exactly(v)", 1, stream_append(load.events, 1000)),
    };
    appends.run(run.asked.many_rounds(), slices_a_round - 1, run.progress);
    const contest::yardstick against{{floor}};
    run.found.rows.push_back(appends.line(floor, against));
    for (const auto id : ids) {
        run.found.rows.push_back(appends.line(id, against));
    }
    run.found.verdicts.push_back(
        appends.judge("append, " + load.name + ", raw bytes, against the floor", ids.front(),
                      against, figure::mean, 1.15));
    run.found.verdicts.push_back(
        appends.judge("append to 1,000 streams, exactly(v), " + load.name + ", against the floor",
                      ids.back(), against, figure::mean, 1.35));
}

// A million streams do not fit one segment, so this journal is larger and has its own contest.
void ask_million_streams(context& run, const std::filesystem::path& scratch,
                         const context::load& load) {
    constexpr std::uint64_t streams = 1'000'000;
    contest appends("append");
    auto options = one_segment_options(run.asked);
    options.segment_bytes = std::size_t{256} << 20;
    options.populate_bytes = options.segment_bytes;
    options.expected_streams = streams;
    const auto slice = slice_events(load.events);
    const auto floor = appends.add(floor_append(scratch, load, run.asked.writer_core()));
    const auto id = appends.add(pawl_append(scratch, run.asked, options,
                                            {.variant = load.name + ", 1000000 streams, exactly(v)",
                                             .payload_bytes = load.events.mean_bytes(),
                                             .events_in_a_slice = slice},
                                            stream_append(load.events, streams)));
    appends.run(run.asked.quick ? 1 : 5, slices_a_round, run.progress);
    run.found.rows.push_back(appends.line(id, {{floor}}));
}

// Only builds the event.
template <class Make>
contender build_alone(const options& asked, const std::string& variant, std::size_t bytes,
                      std::uint64_t slice, Make make) {
    const auto builder = std::make_shared<flatbuffers::FlatBufferBuilder>(1024);
    const auto run = [builder, slice, make, core = asked.writer_core()]() -> sample {
        std::uint64_t sum = 0;
        const pinned here(core);
        stopwatch watch;
        for (std::uint64_t i = 0; i < slice; ++i) {
            const auto built = build(*builder, make, i);
            asm volatile("" : : "r"(built.data()) : "memory");
            sum += built.size();
        }
        const auto taken = watch.stop();
        if (sum == 0) {
            throw failure("nothing was built");
        }
        return {.events = slice, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = "floor",
            .variant = variant + ", build alone",
            .payload_bytes = bytes,
            .options = "FlatBufferBuilder, used again",
            .run = run};
}

struct typed_case {
    std::string name;
    std::size_t bytes;
};

template <class Make>
typed_case typed(const std::string& name, Make make) {
    flatbuffers::FlatBufferBuilder builder(1024);
    return {name, build(builder, make, 1).size()};
}

template <class Make>
auto encoded_append(Make make) {
    return [make](pawl::writer&) {
        return
            [make, encode = std::make_shared<pawl::encoder>()](pawl::writer& log, std::uint64_t i) {
                return encode->append(log, {}, [&](auto& builder) { return make(builder, i); })
                    .has_value();
            };
    };
}

template <class Make>
auto in_place_append(Make make, std::size_t room) {
    return [make, room](pawl::writer&) {
        return [make, room](pawl::writer& log, std::uint64_t i) {
            return pawl::append_in_place(log, {}, room,
                                         [&](auto& builder) { return make(builder, i); })
                .has_value();
        };
    };
}

auto prepared_append() {
    return [](pawl::writer&) {
        auto made = must(
            pawl::prepared_event<filled>::make([](auto& builder) { return make_fill(builder, 0); }),
            "prepare an event");
        return [event = std::make_shared<pawl::prepared_event<filled>>(std::move(made))](
                   pawl::writer& log, std::uint64_t i) {
            patch_fill(event->fields(), i);
            return event->append(log, {}).has_value();
        };
    };
}

template <class Make>
void ask_typed(context& run, const std::filesystem::path& scratch, const std::string& name,
               Make make, bool prepared) {
    const auto what = typed(name, make);
    const context::load load{name, payloads::of_size(what.bytes)};
    const auto slice = slice_events(load.events);
    const auto options = one_segment_options(run.asked);
    contest appends("append");
    auto raw = floor_append(scratch, load, run.asked.writer_core());
    raw.variant = name + ", finished bytes";
    const auto floor = appends.add(std::move(raw));
    const auto alone = appends.add(build_alone(run.asked, name, what.bytes, slice, make));
    const auto add = [&](const std::string& variant, auto how) {
        return appends.add(pawl_append(scratch, run.asked, options,
                                       {.variant = name + ", " + variant,
                                        .payload_bytes = what.bytes,
                                        .events_in_a_slice = slice},
                                       std::move(how)));
    };
    const auto encoded = add("encode + append", encoded_append(make));
    const auto in_place = add("built in reserved space", in_place_append(make, what.bytes + 64));
    std::optional<contest::id> patched;
    if (prepared) {
        patched = add("patched template + append", prepared_append());
    }
    appends.run(run.asked.many_rounds(), slices_a_round - 1, run.progress);

    const contest::yardstick sum{{alone}, {floor}};
    run.found.rows.push_back(appends.line(floor, {{floor}}));
    run.found.rows.push_back(appends.line(alone));
    run.found.rows.push_back(appends.line(encoded, sum));
    run.found.rows.push_back(appends.line(in_place, sum));
    run.found.verdicts.push_back(
        appends.judge(name + ", encode + append, against build alone + floor", encoded, sum,
                      figure::mean, contest::yardstick{{alone}, {floor, 1.25}}));
    run.found.verdicts.push_back(
        appends.judge(name + ", in reserved space, against build alone + floor", in_place, sum,
                      figure::mean, contest::yardstick{{alone}, {floor, 1.0}}));
    if (patched) {
        run.found.rows.push_back(appends.line(*patched, {{floor}}));
        run.found.verdicts.push_back(
            appends.judge(name + ", patched template + append, against the floor", *patched,
                          {{floor}}, figure::mean, 1.25));
    }
}

}  // namespace

void ask_append(context& run) {
    const scratch_directory scratch(run.asked.directory);
    for (const auto& load : run.loads) {
        ask_raw(run, scratch.path(), load);
    }
    ask_million_streams(run, scratch.path(), run.loads.front());
    ask_typed(run, scratch.path(), "7 fields and a string", make_order, false);
    ask_typed(run, scratch.path(), "a struct in a table", make_fill, true);
}

}  // namespace bench
