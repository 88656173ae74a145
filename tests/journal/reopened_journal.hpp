// A journal driven by hand whose writer comes and goes.
#pragma once

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pawl/journal/writer.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace pawl::test {

class reopened_journal {
  public:
    explicit reopened_journal(const writer_options& options) : options_{options} { open(); }

    [[nodiscard]] std::filesystem::path path() const { return home_.path() / "j"; }
    void open() {
        log_.emplace(must(writer::open(path(), options_)));
        id_ = log_->id();
    }
    // Also after the writer has gone.
    [[nodiscard]] const journal_id& id() const { return id_; }
    // Without a clean end.
    void crash() { log_.reset(); }
    void close() {
        must(log_->close());
        log_.reset();
    }
    void reopen() {
        close();
        open();
    }
    [[nodiscard]] writer& log() { return *log_; }
    // Appends events of so many bytes until the writer has left its segment.
    void fill_segment(const event_header& header, std::size_t bytes) {
        const auto before = log_->statistics().rollovers;
        const std::string large(bytes, 'x');
        while (log_->statistics().rollovers == before) {
            (void)must(log_->append(header, bytes_of(large)));
            must(log_->poll());
        }
    }

  private:
    temporary_directory home_;
    writer_options options_;
    std::optional<writer> log_;
    journal_id id_{};
};

}  // namespace pawl::test
