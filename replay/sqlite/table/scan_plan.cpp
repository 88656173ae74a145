#include "sqlite/table/scan_plan.hpp"

#include <algorithm>
#include <cstddef>

namespace pawl::detail {

namespace {

// No letter if the scan cannot be restricted by it.
constexpr char no_letter = 0;

char letter_of(int column, bool has_type) {
    switch (column) {
        case -1:  // the rowid
        case static_cast<int>(header_column::sequence):
            return 'q';
        case static_cast<int>(header_column::time):
            return 't';
        case static_cast<int>(header_column::timestamp_ns):
            return 'n';
        case static_cast<int>(header_column::stream):
            return 's';
        case static_cast<int>(header_column::type):
            return has_type ? no_letter : 'y';
        default:
            return no_letter;
    }
}
char letter_of(unsigned char comparison) {
    switch (comparison) {
        case SQLITE_INDEX_CONSTRAINT_EQ:
            return '=';
        case SQLITE_INDEX_CONSTRAINT_GT:
            return '>';
        case SQLITE_INDEX_CONSTRAINT_GE:
            return 'g';
        case SQLITE_INDEX_CONSTRAINT_LT:
            return '<';
        case SQLITE_INDEX_CONSTRAINT_LE:
            return 'l';
        default:
            return no_letter;
    }
}
// Another collation compares otherwise than the scan does.
bool has_collation_of(char column, const char* collation) {
    const std::string_view name = collation == nullptr ? "BINARY" : collation;
    return column == 't' ? name == "pawl_time" : name == "BINARY";
}
double share_of(char column, char comparison) {
    if (column == 's')
        return 0.01;
    if (comparison == '=')
        return column == 'q' ? 1e-6 : 0.001;
    return column == 'y' ? 1 : 0.25;
}

std::string_view text_of(sqlite3_value* value) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return {text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// Narrows [low, high], both inclusive, to what the comparison lets through, or a little more: a
// bound itself stays, because SQLite checks each row again.
void narrow(std::uint64_t& low, std::uint64_t& high, char comparison, std::uint64_t bound) {
    if (comparison == '=' || comparison == '>' || comparison == 'g')
        low = std::max(low, bound);
    if (comparison == '=' || comparison == '<' || comparison == 'l')
        high = std::min(high, bound);
}

}  // namespace

std::string chosen_constraints(sqlite3_index_info& query, bool has_type) {
    std::string plan;
    double cost = 1e6;
    for (int i = 0; i < query.nConstraint; ++i) {
        const auto& one = query.aConstraint[i];
        const char column = one.usable != 0 ? letter_of(one.iColumn, has_type) : no_letter;
        const char comparison = letter_of(one.op);
        if (column == no_letter || comparison == no_letter ||
            ((column == 's' || column == 'y') && comparison != '=') ||
            !has_collation_of(column, sqlite3_vtab_collation(&query, i)))
            continue;
        plan += {column, comparison};
        query.aConstraintUsage[i].argvIndex = static_cast<int>(plan.size() / 2);
        cost *= share_of(column, comparison);
    }
    query.estimatedCost = std::max(cost, 1.0);
    query.estimatedRows = static_cast<sqlite3_int64>(query.estimatedCost);
    query.orderByConsumed =
        query.nOrderBy == 1 && query.aOrderBy[0].desc == 0 && query.aOrderBy[0].iColumn <= 0;
    return plan;
}

void scan_plan::add(char column, char comparison, sqlite3_value* value) {
    switch (column) {
        case 'q':
            return number(low_, high_, comparison, value);
        case 'n':
            return number(filter_.since_ns, filter_.until_ns, comparison, value);
        case 't':  // a blob is later than any text, whatever its bytes
            if (sqlite3_value_type(value) == SQLITE_BLOB)
                return;
            if (const auto time = times_.parse(text_of(value)))
                narrow(filter_.since_ns, filter_.until_ns, comparison, *time);
            return;
        case 's':
            return stream(text_of(value));
        default:
            filter_.type = from_.types().type_named(text_of(value));
    }
}

event_filter scan_plan::filter() const {
    event_filter made = filter_;
    if (low_ != 0)
        made.from = low_;
    if (high_ != std::numeric_limits<std::uint64_t>::max())
        made.before = high_ + 1;
    return made;
}

void scan_plan::number(std::uint64_t& low, std::uint64_t& high, char comparison,
                       sqlite3_value* value) {
    if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER)
        return;
    const sqlite3_int64 bound = sqlite3_value_int64(value);
    if (bound >= 0)
        narrow(low, high, comparison, static_cast<std::uint64_t>(bound));
    else if (comparison == '=' || comparison == '<' || comparison == 'l')
        empty_ = true;
}

void scan_plan::stream(std::string_view text) {
    switch (const auto [found, number] = from_.streams_with(text); found) {
        case streams_found::none:
            empty_ = true;
            break;
        case streams_found::one:
            filter_.stream = number;
            break;
        case streams_found::several:
            break;
    }
}

}  // namespace pawl::detail
