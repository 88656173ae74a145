#include "measure/contest.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace bench {
namespace {

double share_of(figure which) {
    switch (which) {
        case figure::p50:
            return 0.5;
        case figure::p99:
            return 0.99;
        case figure::p999:
            return 0.999;
        case figure::p9999:
            return 0.9999;
        case figure::mean:
            break;
    }
    return 0;
}

double value_of(const sample& one, figure which) {
    if (which == figure::mean) {
        return one.total_ns / static_cast<double>(one.events);
    }
    assert(one.latency.has_value());
    return static_cast<double>(one.latency->at(share_of(which)));
}

double at_share(const std::vector<double>& sorted, double share) {
    const double position = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const auto above = std::min(below + 1, sorted.size() - 1);
    const double part = position - static_cast<double>(below);
    return sorted[below] * (1 - part) + sorted[above] * part;
}

}  // namespace

double median_of(std::vector<double> values) {
    assert(!values.empty());
    std::sort(values.begin(), values.end());
    return at_share(values, 0.5);
}

std::string to_string(figure which) {
    switch (which) {
        case figure::p50:
            return "p50_ns";
        case figure::p99:
            return "p99_ns";
        case figure::p999:
            return "p999_ns";
        case figure::p9999:
            return "p9999_ns";
        case figure::mean:
            break;
    }
    return "ns_per_event";
}

contest::id contest::add(contender who) {
    entries_.push_back({std::move(who), {}});
    return entries_.size() - 1;
}

void contest::run(unsigned rounds, unsigned slices,
                  const std::function<void(const std::string&)>& progress) {
    const auto call = [](const std::function<void()>& hook) {
        if (hook) {
            hook();
        }
    };
    std::size_t first = 0;
    for (unsigned round = 0; round < rounds; ++round) {
        progress(bench_ + ", round " + std::to_string(round + 1) + " of " + std::to_string(rounds));
        for (const auto& one : entries_) {
            call(one.who.begin);
        }
        for (unsigned slice = 0; slice < slices; ++slice, ++first) {
            for (std::size_t i = 0; i < entries_.size(); ++i) {
                auto& next = entries_[(i + first) % entries_.size()];
                next.turns.push_back(next.who.run());
            }
        }
        for (const auto& one : entries_) {
            call(one.who.end);
        }
    }
    drop_interrupted_turns();
}

void contest::drop_interrupted_turns() {
    std::vector<std::size_t> kept;
    const std::size_t all = entries_.front().turns.size();
    for (std::size_t turn = 0; turn < all; ++turn) {
        if (std::none_of(entries_.begin(), entries_.end(),
                         [turn](const entry& one) { return one.turns[turn].interrupted; })) {
            kept.push_back(turn);
        }
    }
    if (kept.size() < 5) {
        return;
    }
    dropped_turns_ = all - kept.size();
    for (auto& one : entries_) {
        for (std::size_t i = 0; i < kept.size(); ++i) {
            if (i != kept[i]) {
                one.turns[i] = std::move(one.turns[kept[i]]);
            }
        }
        one.turns.resize(kept.size());
    }
}

std::vector<double> contest::series(const yardstick& what, figure which) const {
    std::vector<double> sums(entries_.at(what.at(0).who).turns.size(), 0.0);
    for (const auto& [who, weight] : what) {
        for (std::size_t turn = 0; turn < sums.size(); ++turn) {
            sums[turn] += weight * value_of(entries_.at(who).turns.at(turn), which);
        }
    }
    return sums;
}

double contest::median(id who, figure which) const {
    return median_of(series({{who}}, which));
}

double contest::ratio(const yardstick& what, const yardstick& against, figure which) const {
    auto ratios = series(what, which);
    const auto below = series(against, which);
    for (std::size_t turn = 0; turn < ratios.size(); ++turn) {
        ratios[turn] /= std::max(below[turn], 1e-3);
    }
    return median_of(std::move(ratios));
}

double contest::ratio(id who, const yardstick& against, figure which) const {
    return ratio(yardstick{{who}}, against, which);
}

double contest::spread(const yardstick& what, figure which) const {
    auto values = series(what, which);
    std::sort(values.begin(), values.end());
    return (at_share(values, 0.75) - at_share(values, 0.25)) /
           std::max(at_share(values, 0.5), 1e-3);
}

row contest::line(id who, const yardstick& floor, figure ratio_of) const {
    const auto& [asked, turns] = entries_.at(who);
    row made;
    made.bench = bench_;
    made.variant = asked.variant;
    made.contender = asked.name;
    made.payload_bytes = asked.payload_bytes;
    made.keeps = asked.keeps;
    made.options = asked.options;
    made.note = asked.note;
    made.dropped_repetitions = dropped_turns_;
    made.threads = asked.threads;
    made.repetitions = turns.size();
    made.ratio_of = ratio_of;

    const auto means = series({{who}}, figure::mean);
    made.ns_per_event = median_of(means);
    made.events_per_s = 1e9 / *made.ns_per_event;
    made.min_ns_per_event = *std::min_element(means.begin(), means.end());
    made.max_ns_per_event = *std::max_element(means.begin(), means.end());

    if (turns.front().latency) {
        made.p50_ns = median(who, figure::p50);
        made.p99_ns = median(who, figure::p99);
        made.p999_ns = median(who, figure::p999);
        made.p9999_ns = median(who, figure::p9999);
        histogram all;
        for (const auto& one : turns) {
            all.merge(*one.latency);
        }
        made.max_ns = static_cast<double>(all.maximum());
        for (const double share :
             {0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 1.0}) {
            made.curve.emplace_back(share, static_cast<double>(all.at(share)));
        }
    }
    if (!floor.empty()) {
        made.floor_ratio = ratio(who, floor, ratio_of);
        made.floor_spread = spread(floor, ratio_of);
        made.unreliable = *made.floor_spread > unreliable_spread;
    }
    return made;
}

verdict contest::judge(const std::string& question, id who, const yardstick& against, figure which,
                       double limit) const {
    return {.question = question,
            .reached = ratio(who, against, which),
            .limit = limit,
            .unreliable = spread(against, which) > unreliable_spread};
}

verdict contest::judge(const std::string& question, id who, const yardstick& against, figure which,
                       const yardstick& allowed) const {
    return judge(question, who, against, which, ratio(allowed, against, which));
}

}  // namespace bench
