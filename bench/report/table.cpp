#include "report/report.hpp"
#include "report/units.hpp"

#include <fmt/format.h>

#include <string>

namespace bench {
namespace {

std::string ratio(const row& one) {
    if (!one.floor_ratio) {
        return "-";
    }
    const int digits = *one.floor_ratio < 10 ? 2 : *one.floor_ratio < 100 ? 1 : 0;
    return fmt::format("{:.{}f}{}{}", *one.floor_ratio, digits,
                       one.ratio_of == figure::mean ? "" : "'", one.unreliable ? "?" : "");
}

std::string letters(const guarantees& keeps) {
    return fmt::format("{}{}{}", keeps.survives_kill ? 'K' : '.',
                       keeps.survives_power_loss ? 'P' : '.', keeps.checksummed ? 'C' : '.');
}

void print_heading(std::FILE* out, const std::string& bench) {
    fmt::print(out,
               "\n{}\n{:<46} {:<12} {:>5} {:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}  {}\n",
               bench, "case", "contender", "bytes", "per event", "events/s", "p50", "p99", "p99.9",
               "p99.99", "max", "x floor", "keeps");
}

void print_row(std::FILE* out, const row& one) {
    fmt::print(out, "{:<46} {:<12} {:>5} {:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}  {}\n",
               one.variant, one.contender, one.payload_bytes, duration_text(one.ns_per_event),
               rate_text(one.events_per_s), duration_text(one.p50_ns), duration_text(one.p99_ns),
               duration_text(one.p999_ns), duration_text(one.p9999_ns), duration_text(one.max_ns),
               ratio(one), letters(one.keeps));
}

}  // namespace

void print_rows(std::FILE* out, const std::vector<row>& rows) {
    const std::string* bench = nullptr;
    for (const auto& one : rows) {
        if (bench == nullptr || *bench != one.bench) {
            print_heading(out, one.bench);
            bench = &one.bench;
        }
        print_row(out, one);
    }
}

void print_verdicts(std::FILE* out, const report& found) {
    if (!found.verdicts.empty()) {
        fmt::print(out, "\n{:<72} {:>9} {:>11}\n", "target", "reached", "wanted");
    }
    for (const auto& one : found.verdicts) {
        fmt::print(out, "{:<72} {:>9.3g} {:>2} {:>8.3g}  {}{}{}\n", one.question, one.reached,
                   one.at_least ? ">=" : "<=", one.limit, one.met() ? "met" : "MISSED",
                   one.unreliable ? ", unreliable" : "", one.note.empty() ? "" : "; " + one.note);
    }
    for (const auto& one : found.failures) {
        fmt::print(out, "not measured: {}\n", one);
    }
}

}  // namespace bench
