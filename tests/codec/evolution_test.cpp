// Checks codec/EVOLUTION.md against the code: tries each of its rows in both directions.
#include "evolution_cases.hpp"
#include "schema_text.hpp"

#include <pawl/codec/schema_changes.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using pawl::change_verdict;

std::string put_into(std::string_view around, std::string_view what) {
    std::string made = "namespace e;\n";
    for (const char c : around)
        if (c == '%')
            made += what;
        else
            made += c;
    return made;
}

pawl::schema load_event(std::string_view around, std::string_view what) {
    const auto bfbs = compile_schema(put_into(around, what));
    auto made = pawl::schema::load(bfbs, "e.event");
    if (!made)
        made = pawl::schema::load(bfbs, "e.happening");
    if (!made)
        FAIL(made.error().message());
    return std::move(*made);
}

// The members of a JSON object whose values are no objects or arrays themselves.
std::map<std::string, std::string> plain_members(const std::string& text) {
    std::map<std::string, std::string> members;
    int depth = 0;
    std::size_t start = 1;
    for (std::size_t i = 1; i < text.size(); ++i) {
        depth += text[i] == '{' || text[i] == '[' ? 1 : 0;
        if (depth == 0 && (text[i] == ',' || text[i] == '}')) {
            const std::string member = text.substr(start, i - start);
            const std::size_t colon = member.find(':');
            if (colon != std::string::npos && member.find_first_of("{[") == std::string::npos)
                members[member.substr(0, colon)] = member.substr(colon + 1);
            start = i + 1;
        }
        depth -= text[i] == '}' || text[i] == ']' ? 1 : 0;
    }
    return members;
}

// How the other schema reads an event. For an absent field, the value that a reader sees instead
// counts too.
std::string fate(const pawl::schema& writer, const pawl::schema& reader, std::string_view event) {
    pawl::json_parser parse{writer};
    const auto payload = parse(event);
    if (!payload)
        FAIL(payload.error().message());
    const std::string shown = print(reader, *payload);
    if (shown.starts_with("failed"))
        return "fails";
    const auto meant = plain_members(print(writer, *payload, {.defaults = true}));
    for (const auto& [name, value] : plain_members(print(reader, *payload, {.defaults = true})))
        if (const auto at = meant.find(name); at != meant.end() && at->second != value)
            return "differs";
    return shown == event ? "same" : "differs";
}

std::string rules_of(const std::vector<pawl::schema_change>& changes) {
    std::vector<std::string> names;
    for (const pawl::schema_change& one : changes)
        if (std::ranges::find(names, to_string(one.rule)) == names.end())
            names.emplace_back(to_string(one.rule));
    std::string made;
    for (const std::string& one : names)
        made += (made.empty() ? "`" : ", `") + one + "`";
    return made.empty() ? "none" : made;
}

// The columns of a row that can be tried.
struct row {
    std::string change, verdict, rules, old_events, new_events, back;
    friend bool operator==(const row&, const row&) = default;
};

std::string line_of(const row& of) {
    return "| " + of.change + " | " + of.verdict + " | " + of.rules + " | " + of.old_events +
           " | " + of.new_events + " | " + of.back + " |";
}

std::vector<pawl::schema_change> changes_of(const pawl::schema& before, const pawl::schema& after) {
    auto changes = pawl::compare_schemas(before, after);
    REQUIRE(changes);
    return std::move(*changes);
}

row tried(const evolution_case& one) {
    const pawl::schema before = load_event(one.around, one.before);
    const pawl::schema after = load_event(one.around, one.after);
    const auto forth = changes_of(before, after);
    const auto back = changes_of(after, before);
    return {std::string{one.change},
            std::string{to_string(pawl::worst_of(forth))},
            rules_of(forth),
            fate(before, after, one.old_event),
            fate(after, before, one.new_event),
            std::string{to_string(pawl::worst_of(back))}};
}

// The rows of the page's tables, as far as they have so many columns.
std::vector<row> rows_of_the_page() {
    std::ifstream page{std::filesystem::path{PAWL_TESTS_DIR}.parent_path() / "codec/EVOLUTION.md"};
    std::vector<row> rows;
    for (std::string line; std::getline(page, line);) {
        std::vector<std::string> cells;
        std::size_t at = line.starts_with("| ") ? 2 : std::string::npos;
        while (at != std::string::npos && at < line.size()) {
            const std::size_t end = line.find(" |", at);
            if (end == std::string::npos)
                break;
            cells.push_back(line.substr(at, end - at));
            at = end + 3;
        }
        if (cells.size() >= 6 && cells[0] != "change" && !cells[0].starts_with("---"))
            rows.push_back({cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]});
    }
    return rows;
}

}  // namespace

TEST_CASE("each row of EVOLUTION.md matches the code, in both directions", "[codec]") {
    const auto rows = rows_of_the_page();
    CHECK(rows.size() >= 40);
    CHECK(rows.size() == evolution_cases().size());
    for (const evolution_case& one : evolution_cases()) {
        const row is = tried(one);
        INFO("it should be\n" << line_of(is));
        const auto at = std::ranges::find(rows, is.change, &row::change);
        if (at == rows.end()) {
            FAIL_CHECK("the page has no row for it");
            continue;
        }
        CHECK(line_of(*at) == line_of(is));
    }
}

TEST_CASE("a change that needs no new version never reads old events as something else",
          "[codec]") {
    for (const evolution_case& one : evolution_cases()) {
        const row is = tried(one);
        INFO(line_of(is));
        if (is.verdict == "free")
            CHECK(is.old_events == "same");
        if (is.verdict == "free" || is.verdict == "note")
            CHECK(is.old_events != "fails");
    }
}

TEST_CASE("two schemas without changes have the same bytes", "[codec]") {
    for (const evolution_case& one : evolution_cases()) {
        const pawl::schema before = load_event(one.around, one.before);
        const pawl::schema after = load_event(one.around, one.after);
        INFO(one.change);
        CHECK(std::ranges::equal(before.bytes(), after.bytes()) ==
              changes_of(before, after).empty());
        CHECK(changes_of(before, before).empty());
        CHECK(changes_of(after, after).empty());
    }
}

TEST_CASE("every rule has an example, and names the field it found", "[codec]") {
    std::vector<pawl::change_rule> found;
    for (const evolution_case& one : evolution_cases()) {
        const pawl::schema before = load_event(one.around, one.before);
        const pawl::schema after = load_event(one.around, one.after);
        for (const auto& changes : {changes_of(before, after), changes_of(after, before)})
            for (const pawl::schema_change& change : changes) {
                found.push_back(change.rule);
                CHECK(change.where.starts_with("e."));
                CHECK_FALSE(change.what.empty());
            }
    }
    for (int i = 0; i <= static_cast<int>(pawl::change_rule::union_member_retargeted); ++i) {
        INFO(to_string(static_cast<pawl::change_rule>(i)));
        CHECK(std::ranges::find(found, static_cast<pawl::change_rule>(i)) != found.end());
    }
}

TEST_CASE("a change names table, field and rule", "[codec]") {
    const auto changes = changes_of(schema_of("namespace e; table event { a: int; }", "e.event"),
                                    schema_of("namespace e; table event { a: long; }", "e.event"));
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].message() == "e.event.a: field_type_changed (needs upcast): int became long");
}
