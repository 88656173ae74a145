// Generates schemas and events from a seed. It writes the events' JSON from the schema's text and
// without Pawl's code, so that the two can be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

class random_schema {
  public:
    explicit random_schema(std::uint64_t seed);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    // The table that is the event.
    [[nodiscard]] std::string table() const { return "r.t0"; }
    // An event as the printer shows it.
    [[nodiscard]] std::string event() { return table_json(0, 0); }

  private:
    struct enumeration {
        std::string name, type;
        std::vector<std::string> values;
        bool flags;
    };
    enum class kind { number, real, truth, enumerator, structure, string, table, nested, one_of };
    struct field {
        std::string name, type, standard;  // the default as JSON
        kind is;
        std::size_t index;  // of the enum, struct or table
        bool vector, optional, required;
        std::size_t array;
    };
    struct object {
        std::vector<field> fields;
    };

    std::size_t below(std::size_t bound) { return random_() % bound; }
    bool chance(std::size_t percent) { return below(100) < percent; }
    template <class List>
    const auto& any(const List& list) {
        return list[below(std::size(list))];
    }

    void make_enums();
    void make_structs();
    void make_tables();
    field make_field(std::size_t number, bool in_struct);
    void give_default(field& to, std::string& text);
    std::string declaration(const field& of, const std::string& standard) const;

    std::string number(const std::string& type);
    std::string real(const std::string& type);
    std::string string();
    std::string single(const field& of, std::size_t depth);
    std::string value(const field& of, std::size_t depth);
    std::string struct_json(std::size_t index);
    std::string table_json(std::size_t index, std::size_t depth);
    std::string union_json(const field& of, std::size_t depth);
    std::string member(std::size_t which, std::size_t depth);

    std::mt19937_64 random_;
    std::string text_;
    std::vector<enumeration> enums_;
    std::vector<object> structs_;
    std::vector<object> tables_;
};
