// One life of a writer, or several if only its process dies, on a simulated disk.
#pragma once

#include "event_oracle.hpp"
#include "os/io_hook.hpp"
#include "simulated_disk.hpp"

#include <pawl/journal/writer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace pawl::test {

class writer_life;

// The observer of a life: called at each moment at which something else may happen.
class moments {
  public:
    virtual void moment(const writer_life& life) = 0;
    virtual void wrong(const writer_life& life, const std::string& what) = 0;
    [[nodiscard]] virtual bool done() const noexcept = 0;
    [[nodiscard]] virtual std::uint64_t below(std::uint64_t bound) = 0;

  protected:
    ~moments() = default;
};

// Small segments, no threads, the caller's clock.
[[nodiscard]] writer_options life_options();
[[nodiscard]] result<receipt> append(writer& log, const expected_event& event,
                                     expect expected = expect::any());
// Reserves `spare` bytes more than the event needs and stores its payload there; all events of
// stream 3 have metadata, except reserved ones.
[[nodiscard]] result<reservation> reserve(writer& log, const expected_event& event,
                                          std::uint64_t spare);
// Why the versions of streams 1 to `streams` are not what was appended; empty if they are.
[[nodiscard]] std::string version_fault(const writer& log, const event_oracle& oracle,
                                        std::size_t streams = oracle_streams);
// Whether a power cut may separate what came before the call from what came after it.
[[nodiscard]] bool changes_disk(detail::io_operation operation) noexcept;

// Why a reader does not see exactly the events that were appended; empty if it does.
[[nodiscard]] std::string reading_fault(const std::filesystem::path& directory,
                                        const event_oracle& oracle);

class writer_life {
  public:
    // Runs on the disk in `root`; the journal is in a directory there, which the first life
    // creates.
    writer_life(moments& watcher, const std::filesystem::path& root, event_oracle oracle,
                bool failing_syncs);
    [[nodiscard]] static std::filesystem::path journal_in(const std::filesystem::path& root) {
        return root / "journal";
    }
    writer_life(const writer_life&) = delete;
    writer_life& operator=(const writer_life&) = delete;

    void run();

    [[nodiscard]] const simulated_disk& disk() const noexcept { return disk_; }
    [[nodiscard]] const event_oracle& oracle() const noexcept { return oracle_; }
    // Inside writer::open.
    [[nodiscard]] bool opening() const noexcept { return opening_; }
    // Installs this life's hook for the journal's calls again.
    void hook() const noexcept;

  private:
    [[nodiscard]] int on_call(const detail::io_event& event);
    [[nodiscard]] bool open();
    void look();
    void step();
    void append_one(std::uint32_t bytes);
    void append_too_late();
    void append_filler();
    void append_batch();
    [[nodiscard]] bool add_to_batch(batch& together, const expected_event& event,
                                    std::uint64_t version);
    void append_reserved();
    void sync();
    void poll();
    void poll_later();
    void close();
    void look_after_opening();
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return watcher_.below(bound); }
    [[nodiscard]] std::uint32_t some_bytes();
    [[nodiscard]] std::uint16_t some_stream();
    void went(const result<receipt>& given, const expected_event& event);

    moments& watcher_;
    std::filesystem::path directory_;
    writer_options options_;
    event_oracle oracle_;
    simulated_disk disk_;
    std::optional<writer> log_;
    std::uint64_t position_ = 0;  // where the next frame begins, as far as receipts show
    std::uint32_t usual_bytes_ = 0;
    int process_ = 0;                        // counts those that died since the power came back
    std::uint64_t calls_until_failure_ = 0;  // 0: none fails
    bool failed_ = false;                    // a sync was made to fail in this process
    bool opening_ = false;
    bool has_been_open_ = false;  // in this life
};

}  // namespace pawl::test
