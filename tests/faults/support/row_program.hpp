// The common part of all row programs: arguments, counting, and the line of result.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace pawl::test {

struct row_description {
    int row = 0;
    std::string name;     // of this part, for example "power_cuts"
    std::string counted;  // plural, for example "cuts"
};

// The target figure, by mode.
struct row_targets {
    std::uint64_t quick = 0;
    std::uint64_t ci = 0;
    std::uint64_t full = 0;
};

// The exit status of a program of which a part was skipped and nothing failed; ctest reports it as
// skipped.
inline constexpr int exit_skipped = 77;

enum class row_mode : std::uint8_t { quick, ci, full };

class row_program {
  public:
    // Reads the common arguments; wrong usage ends the process with 2. option() returns the
    // program's own arguments.
    row_program(row_description description, int argc, char** argv);

    [[nodiscard]] row_mode mode() const noexcept { return mode_; }
    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
    // This process's own directory, created at first use and removed at the end.
    [[nodiscard]] const std::filesystem::path& directory();
    // Sets the target by mode or --count, and returns it.
    std::uint64_t target(const row_targets& targets);
    [[nodiscard]] std::uint64_t target() const noexcept { return target_; }
    // The value of --name, or `otherwise`. Must be called before finish(), which refuses arguments
    // that were never queried.
    [[nodiscard]] std::uint64_t option(const std::string& name, std::uint64_t otherwise);

    void count(std::uint64_t more = 1) noexcept { reached_ += more; }
    [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }
    [[nodiscard]] std::uint64_t reached() const noexcept { return reached_; }
    // Of the first failure.
    [[nodiscard]] const std::string& repeat() const noexcept { return repeat_; }
    [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
    // In a process that does a share of the work: counting starts over, up to `target`.
    void begin_share(std::uint64_t target) noexcept {
        target_ = target;
        reached_ = 0;
    }
    // True while there is work to do: the target is not reached, and there have been few failures.
    [[nodiscard]] bool goes_on() const noexcept;

    // `repeat`: the arguments that show this failure alone.
    void failure(const std::string& repeat, const std::string& what);
    void skip(std::string why) { skipped_ = std::move(why); }
    // Does nothing if there was a failure, which is reported instead.
    void detail(std::string line) {
        if (failures_ == 0)
            detail_ = std::move(line);
    }

    // Prints the line of result and returns the exit status.
    [[nodiscard]] int finish();
    // Renames the current part, whose name may depend on the arguments.
    void describe(row_description description) { description_ = std::move(description); }
    // Ends one part and begins the next, for a program that covers several rows or parts.
    void next_part(row_description description);

    ~row_program();
    row_program(const row_program&) = delete;
    row_program& operator=(const row_program&) = delete;

  private:
    void print();

    row_description description_;
    row_mode mode_ = row_mode::ci;
    std::uint64_t seed_ = 1;
    std::uint64_t count_ = 0;  // 0: by mode
    std::filesystem::path parent_;
    std::filesystem::path directory_;
    std::vector<std::pair<std::string, std::string>> others_;
    std::vector<std::string> asked_;

    std::uint64_t target_ = 0;
    std::uint64_t reached_ = 0;
    std::uint64_t failures_ = 0;
    std::string repeat_;
    std::string skipped_;
    std::string detail_;
    bool red_ = false;
    bool part_skipped_ = false;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace pawl::test
