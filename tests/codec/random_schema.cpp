#include "random_schema.hpp"

#include <array>
#include <string_view>

// GCC 12 wrongly reports an overlap in `"x" + string` (its bug 105651).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wrestrict"
#endif

namespace {

struct range {
    std::string_view type, lowest, highest;
};
constexpr std::array integers{range{"byte", "-128", "127"},
                              range{"ubyte", "0", "255"},
                              range{"short", "-32768", "32767"},
                              range{"ushort", "0", "65535"},
                              range{"int", "-2147483648", "2147483647"},
                              range{"uint", "0", "4294967295"},
                              range{"long", "-9223372036854775808", "9223372036854775807"},
                              range{"ulong", "0", "18446744073709551615"}};

constexpr std::array<std::string_view, 14> doubles{"0.30000000000000004",
                                                   "0.1",
                                                   "1e-13",
                                                   "-0",
                                                   "5e-324",
                                                   "1.7976931348623157e+308",
                                                   "2.2250738585072014e-308",
                                                   "9007199254740993e+3",
                                                   "\"NaN\"",
                                                   "\"Infinity\"",
                                                   "\"-Infinity\"",
                                                   "\"NaN(0xfff8000000000000)\"",
                                                   "\"NaN(0x7ff0000000000001)\"",
                                                   "123456.789"};
constexpr std::array<std::string_view, 8> floats{
    "0.1",      "-0",      "1e-45",         "3.4028235e+38",
    "16777216", "\"NaN\"", "\"-Infinity\"", "\"NaN(0xffc00001)\""};

// As JSON shows them; those that are not valid UTF-8 as their bytes.
constexpr std::array<std::string_view, 10> strings{"\"\"",
                                                   "\"plain\"",
                                                   "\"\\u0000\"",
                                                   "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\"",
                                                   "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xbe\"",
                                                   "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
                                                   "[255]",
                                                   "[97,192,128]",
                                                   "[237,160,128]",
                                                   "[104,101,108,108,111,226,130]"};

}  // namespace

random_schema::random_schema(std::uint64_t seed) : random_{seed} {
    text_ = "namespace r;\n";
    make_enums();
    make_structs();
    make_tables();
}

void random_schema::make_enums() {
    const std::size_t count = 1 + below(3);
    for (std::size_t i = 0; i < count; ++i) {
        enumeration made{.name = "e" + std::to_string(i),
                         .type = std::string{any(integers).type},
                         .values = {},
                         .flags = false};
        made.flags = made.type.starts_with('u') && chance(40);
        text_ +=
            "enum " + made.name + " : " + made.type + (made.flags ? " (bit_flags)" : "") + " {";
        const std::size_t values = 1 + below(6);
        for (std::size_t v = 0; v < values; ++v) {
            made.values.push_back("v" + std::to_string(v));
            text_ += (v == 0 ? " " : ", ") + made.values.back();
            if (!made.flags && v > 0 && chance(30))
                text_ += " = " + std::to_string(v * 9 + below(5));
        }
        text_ += " }\n";
        enums_.push_back(std::move(made));
    }
}

std::string random_schema::declaration(const field& of, const std::string& standard) const {
    std::string made = "  " + of.name + ": ";
    if (of.vector)
        made += "[" + of.type + "]";
    else if (of.array != 0)
        made += "[" + of.type + ":" + std::to_string(of.array) + "]";
    else
        made += of.type;
    if (!standard.empty())
        made += " = " + standard;
    if (of.is == kind::nested)
        made += " (nested_flatbuffer: \"t1\")";
    if (of.required)
        made += " (required)";
    return made + ";\n";
}

random_schema::field random_schema::make_field(std::size_t n, bool in_struct) {
    field made{.name = "f" + std::to_string(n),
               .type = {},
               .standard = {},
               .is = kind::number,
               .index = 0,
               .vector = false,
               .optional = false,
               .required = false,
               .array = 0};
    const std::size_t roll = below(in_struct ? 50 : 100);
    if (roll < 15) {
        made.type = any(integers).type;
        made.standard = "0";
    } else if (roll < 27) {
        made.is = kind::real;
        made.type = chance(70) ? "double" : "float";
        made.standard = "0";
    } else if (roll < 32) {
        made.is = kind::truth;
        made.type = "bool";
        made.standard = "false";
    } else if (roll < 42) {
        made.is = kind::enumerator;
        made.index = below(enums_.size());
        made.type = enums_[made.index].name;
        // flatc wants a default that the enum has.
        made.standard = enums_[made.index].flags ? "0" : "\"v0\"";
    } else if (roll < 50) {
        made.is = kind::structure;
        // A struct holds those before it.
        if (structs_.empty())
            return make_field(n, in_struct);
        made.index = below(structs_.size());
        made.type = "s" + std::to_string(made.index);
    } else if (roll < 65) {
        made.is = kind::string;
        made.type = "string";
    } else if (roll < 78) {
        made.is = kind::table;
        made.index = below(3);
        made.type = "t" + std::to_string(made.index);
    } else if (roll < 84) {
        made.is = kind::nested;
        made.type = "ubyte";
        made.vector = true;
    } else {
        made.is = kind::one_of;
        made.type = "u";
    }
    if (in_struct)
        made.array = chance(25) && made.is != kind::enumerator ? 1 + below(4) : 0;
    else if (made.is != kind::nested)
        made.vector = chance(35);
    return made;
}

// `text` is how the schema spells it.
void random_schema::give_default(field& to, std::string& text) {
    if (to.vector || to.is > kind::enumerator || chance(50))
        return;
    if (chance(40) && !(to.is == kind::enumerator && enums_[to.index].flags)) {
        to.optional = true;
        text = "null";
    } else if (to.is == kind::number) {
        to.standard = text = to.type.starts_with('u') ? "7" : "-7";
    } else if (to.is == kind::real) {
        to.standard = text = "0.5";
    } else if (to.is == kind::truth) {
        to.standard = text = "true";
    } else {
        text = enums_[to.index].values.back();
        to.standard = "\"" + text + "\"";
    }
}

void random_schema::make_structs() {
    const std::size_t count = 2;
    for (std::size_t i = 0; i < count; ++i) {
        object made;
        text_ += "struct s" + std::to_string(i) + " {\n";
        const std::size_t fields = 1 + below(5);
        for (std::size_t f = 0; f < fields; ++f) {
            made.fields.push_back(make_field(f, true));
            text_ += declaration(made.fields.back(), {});
        }
        text_ += "}\n";
        structs_.push_back(std::move(made));
    }
}

void random_schema::make_tables() {
    text_ += "union u { t0, s0, text: string, again: t1 }\n";
    for (std::size_t i = 0; i < 3; ++i) {
        object made;
        text_ += "table t" + std::to_string(i) + " {\n";
        const std::size_t fields = below(i == 0 ? 20 : 6) + 1;
        for (std::size_t f = 0; f < fields; ++f) {
            field one = make_field(f, false);
            std::string standard;
            give_default(one, standard);
            // A table that must hold itself could never end.
            one.required = !one.vector && one.is == kind::string && chance(20);
            text_ += declaration(one, standard);
            made.fields.push_back(std::move(one));
        }
        text_ += "}\n";
        tables_.push_back(std::move(made));
    }
}

std::string random_schema::number(const std::string& type) {
    for (const range& one : integers) {
        if (one.type != type)
            continue;
        switch (below(4)) {
            case 0:
                return std::string{one.lowest};
            case 1:
                return std::string{one.highest};
            default:
                return std::to_string(below(100));
        }
    }
    return {};
}

std::string random_schema::real(const std::string& type) {
    if (type == "float")
        return std::string{any(floats)};
    const std::string_view chosen = any(doubles);
    return chosen == "9007199254740993e+3" ? "9007199254740992" : std::string{chosen};
}

std::string random_schema::string() {
    return std::string{any(strings)};
}

std::string random_schema::single(const field& of, std::size_t depth) {
    switch (of.is) {
        case kind::number:
            return number(of.type);
        case kind::real:
            return real(of.type);
        case kind::truth:
            return chance(50) ? "true" : "false";
        case kind::enumerator:
            return "\"" + any(enums_[of.index].values) + "\"";
        case kind::structure:
            return struct_json(of.index);
        case kind::string:
            return string();
        default:
            return table_json(of.index, depth + 1);
    }
}

std::string random_schema::value(const field& of, std::size_t depth) {
    if (of.is == kind::nested)
        return chance(20) ? "[1,2,3]" : table_json(1, depth + 1);
    if (!of.vector && of.array == 0)
        return single(of, depth);
    const std::size_t count = of.array != 0 ? of.array : below(4);
    std::string made = "[";
    for (std::size_t i = 0; i < count; ++i)
        made += (i == 0 ? "" : ",") + single(of, depth);
    return made + "]";
}

std::string random_schema::struct_json(std::size_t index) {
    std::string made = "{";
    for (const field& one : structs_[index].fields)
        made += (made.size() == 1 ? "\"" : ",\"") + one.name + "\":" + value(one, 0);
    return made + "}";
}

std::string random_schema::member(std::size_t which, std::size_t depth) {
    if (which == 1)
        return struct_json(0);
    if (which == 2)
        return string();
    return table_json(which == 0 ? 0 : 1, depth + 1);
}

std::string random_schema::union_json(const field& of, std::size_t depth) {
    constexpr std::array<std::string_view, 4> names{"t0", "s0", "text", "again"};
    std::string types = "\"" + of.name + "_type\":";
    std::string values = "\"" + of.name + "\":";
    if (!of.vector) {
        const std::size_t which = below(names.size());
        types += "\"" + std::string{names[which]} + "\"";
        return types + "," + values + member(which, depth);
    }
    types += "[";
    values += "[";
    const std::size_t count = below(4);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t which = below(names.size() + 1);
        const bool none = which == names.size();
        types += (i == 0 ? "\"" : ",\"") + std::string{none ? "NONE" : names[which]} + "\"";
        values += (i == 0 ? "" : ",") + (none ? "null" : member(which, depth));
    }
    return types + "]," + values + "]";
}

std::string random_schema::table_json(std::size_t index, std::size_t depth) {
    std::string made = "{";
    for (const field& one : tables_[index].fields) {
        const bool leads_on =
            one.is == kind::table || one.is == kind::nested || one.is == kind::one_of;
        if (!one.required && (chance(30) || (leads_on && (depth > 5 || chance(depth * 25)))))
            continue;
        std::string member = one.is == kind::one_of ? union_json(one, depth)
                                                    : "\"" + one.name + "\":" + value(one, depth);
        const bool hidden = !one.vector && !one.optional && one.is <= kind::enumerator &&
                            member.ends_with(":" + one.standard);
        if (!hidden)
            made += (made.size() == 1 ? "" : ",") + member;
    }
    return made + "}";
}
