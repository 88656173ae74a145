// What does each ingredient cost by itself? Uses Google Benchmark, with its repetitions in random
// order.

#include "contenders/question.hpp"
#include "contenders/raw_log.hpp"
#include "contenders/typed_events.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"

#include <benchmark/benchmark.h>
#include <flatbuffers/flatbuffers.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace bench {
namespace {

using benchmark::State;

struct ingredient {
    const char* name;
    const char* from;
    std::size_t bytes;
    std::function<void(State&)> run;
};

// The lengths are read from memory, as a journal reads them.
void hash(State& state, std::size_t payload_bytes) {
    std::vector<std::byte> bytes(payload_bytes + raw::header_bytes - raw::content_from);
    std::size_t size = bytes.size();
    for (auto _ : state) {
        benchmark::DoNotOptimize(size);
        benchmark::DoNotOptimize(XXH3_64bits(bytes.data(), size));
    }
}

template <class Make>
void build_alone(State& state, Make make) {
    flatbuffers::FlatBufferBuilder builder(1024);
    std::uint64_t index = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(build(builder, make, index++).data());
    }
}

void patch_fill_alone(State& state) {
    flatbuffers::FlatBufferBuilder builder(1024);
    const auto finished = build(builder, make_fill, 0);
    std::vector<std::byte> buffer(finished.begin(), finished.end());
    auto* fill = flatbuffers::GetMutableRoot<filled>(buffer.data());
    std::uint64_t index = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(fill);
        patch_fill(*fill, index++);
        benchmark::ClobberMemory();
    }
}

template <class Table, class Make>
void verify_alone(State& state, Make make) {
    flatbuffers::FlatBufferBuilder builder(1024);
    const auto finished = build(builder, make, 7);
    const auto* data = finished.data();
    for (auto _ : state) {
        benchmark::DoNotOptimize(data);
        if (!verify_event<Table>({data, finished.size()})) {
            state.SkipWithError("a buffer just built does not verify");
        }
    }
}

void read_ticks(State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(ticks());
    }
}

void stamp_by_ticks(State& state) {
    const auto scale = tick_scale::get();
    for (auto _ : state) {
        benchmark::DoNotOptimize(scale.unix_ns());
    }
}

void read_system_clock(State& state) {
    timespec now{};
    for (auto _ : state) {
        clock_gettime(CLOCK_REALTIME, &now);
        benchmark::DoNotOptimize(now);
    }
}

void call_system(State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(syscall(SYS_getppid));
    }
}

std::vector<ingredient> ingredients() {
    flatbuffers::FlatBufferBuilder builder(1024);
    const auto order_bytes = build(builder, make_order, 1).size();
    const auto fill_bytes = build(builder, make_fill, 1).size();
    std::vector<ingredient> list{
        {"rdtsc", "clock", 8, read_ticks},
        {"rdtsc, scaled to a stamp", "clock", 8, stamp_by_ticks},
        {"clock_gettime", "clock", 8, read_system_clock},
        {"a system call", "kernel", 0, call_system},
        {"build, 7 fields and a string", "flatbuffers", order_bytes,
         [](State& state) { build_alone(state, make_order); }},
        {"build, a struct in a table", "flatbuffers", fill_bytes,
         [](State& state) { build_alone(state, make_fill); }},
        {"patch, a struct in a finished table", "flatbuffers", fill_bytes, patch_fill_alone},
        {"verify, 7 fields and a string", "flatbuffers", order_bytes,
         [](State& state) { verify_alone<order_placed>(state, make_order); }},
        {"verify, a struct in a table", "flatbuffers", fill_bytes,
         [](State& state) { verify_alone<filled>(state, make_fill); }},
    };
    for (const std::size_t bytes : {64UL, 256UL, 1024UL}) {
        list.push_back(
            {"XXH3-64 of a frame", "xxhash", bytes, [bytes](State& state) { hash(state, bytes); }});
    }
    return list;
}

// Keeps the time of every repetition by the benchmark's name, which is its index in the list.
class collector : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context& /*context*/) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const auto& one : runs) {
            if (one.run_type == Run::RT_Iteration && !one.error_occurred) {
                times_[std::stoul(one.run_name.function_name)].push_back(
                    one.real_accumulated_time * 1e9 / static_cast<double>(one.iterations));
            }
        }
    }
    [[nodiscard]] const std::map<std::size_t, std::vector<double>>& times() const { return times_; }

  private:
    std::map<std::size_t, std::vector<double>> times_;
};

row to_row(const ingredient& one, const std::vector<double>& times) {
    row made;
    made.bench = "micro";
    made.variant = one.name;
    made.contender = one.from;
    made.payload_bytes = one.bytes;
    made.ns_per_event = median_of(times);
    made.events_per_s = 1e9 / *made.ns_per_event;
    made.repetitions = times.size();
    made.min_ns_per_event = *std::min_element(times.begin(), times.end());
    made.max_ns_per_event = *std::max_element(times.begin(), times.end());
    return made;
}

}  // namespace

void ask_micro(context& run) {
    const auto list = ingredients();
    for (std::size_t i = 0; i < list.size(); ++i) {
        benchmark::RegisterBenchmark(std::to_string(i).c_str(), list[i].run)
            ->MinTime(0.002)
            ->Repetitions(static_cast<int>(run.asked.many_rounds() * 9));
    }
    run.progress("micro");
    std::string program = "pawl-bench";
    std::string interleave = "--benchmark_enable_random_interleaving=true";
    char* arguments[] = {program.data(), interleave.data(), nullptr};
    int count = 2;
    benchmark::Initialize(&count, arguments);
    collector collected;
    const pinned here(run.asked.writer_core());
    benchmark::RunSpecifiedBenchmarks(&collected);
    for (const auto& [index, times] : collected.times()) {
        run.found.rows.push_back(to_row(list.at(index), times));
    }
}

}  // namespace bench
