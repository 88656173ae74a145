// Readers beside a service that opens, writes, rolls over, closes, dies and recovers. The service
// acts between two system calls of the reader, chosen by a seed, so the seed repeats a failure.
// Nothing in such a journal is ever damaged, so no reader may report damage.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

class service {
  public:
    enum class habit : std::uint8_t { keeps_all, prunes };

    service(std::filesystem::path directory, std::uint64_t seed, habit what = habit::keeps_all)
        : directory_{std::move(directory)}, random_{seed}, habit_{what} {
        open();
    }

    // Performs one action of the service.
    void act() {
        const std::uint64_t choice = random_() % (habit_ == habit::prunes ? 12 : 8);
        if (!log_) {
            if (choice < 6)
                open();
            else if (choice >= 8)
                must(prune(directory_, {.before = random_() % (published_ + 1)}));
            return;
        }
        if (choice < 3) {
            append(1 + random_() % 20);
        } else if (choice < 5) {
            append(400 + random_() % 400);  // rolls over
        } else if (choice == 5) {
            must(log_->poll());
            (void)must(log_->sync());
        } else if (choice == 6) {
            must(log_->close());
            log_.reset();
        } else if (choice >= 8) {
            must(log_->prune({.before = random_() % (published_ + 1)}));
        } else {
            log_.reset();  // dies
        }
    }
    [[nodiscard]] sequence_number published() const { return published_; }

  private:
    void open() {
        auto options = small_segments();
        options.background_threads = false;
        options.full = when_full::fail;
        log_.emplace(must(writer::open(directory_, options)));
        if (published_ == 0)
            named = must(log_->stream("orders"));
    }
    void append(std::uint64_t events) {
        for (std::uint64_t i = 0; i < events; ++i) {
            append_numbered(*log_, 1, i % 7 == 0 ? named : no_stream_id);
            ++published_;
            if (i % 100 == 0)
                must(log_->poll());
        }
    }

    std::filesystem::path directory_;
    std::mt19937_64 random_;
    habit habit_;
    std::optional<writer> log_;
    sequence_number published_ = 0;

  public:
    stream_id named = no_stream_id;
};

// Lets the service act before some of the reader's system calls.
class interleaving {
  public:
    interleaving(service& acting, std::uint64_t seed, std::uint64_t one_in)
        : service_{acting}, random_{seed}, one_in_{one_in} {
        detail::set_io_hook(&interleaving::before_a_call, this);
    }
    interleaving(const interleaving&) = delete;
    interleaving& operator=(const interleaving&) = delete;
    ~interleaving() { detail::set_io_hook(nullptr, nullptr); }

  private:
    static int before_a_call(void* context, const detail::io_event&) {
        auto& self = *static_cast<interleaving*>(context);
        // The service's own calls arrive here too. It must not act without end: a reader that is
        // overtaken repeatedly may give up.
        if (self.acting_ || self.acts_ == 12 || self.random_() % self.one_in_ != 0)
            return 0;
        self.acting_ = true;
        ++self.acts_;
        self.service_.act();
        self.acting_ = false;
        return 0;
    }

    service& service_;
    std::mt19937_64 random_;
    std::uint64_t one_in_;
    bool acting_ = false;
    int acts_ = 0;
};

void check_verify(const std::filesystem::path& path, bool deep, sequence_number published) {
    const auto report = must(verify(path, {.deep = deep}));
    for (const finding& found : report.findings)
        FAIL_CHECK(found.what.message());
    CHECK(report.sound());
    CHECK(report.next_sequence >= published);
    CHECK(report.events == report.next_sequence);
}

void check_rehearsal(const std::filesystem::path& path, sequence_number published) {
    const auto report = recover(path, {.dry_run = true});
    if (!report) {
        INFO(report.error().message());
        CHECK(report.error().code == errc::locked);
    } else {
        CHECK(report->next_sequence >= published);
        CHECK(report->lost_about == 0);
    }
}

// What a cursor reads has no gap, and ends at the end of the log or where it was pruned.
void check_read(const std::filesystem::path& path, const cursor_options& options) {
    auto events = cursor::open(path, options);
    const bool from_first_kept = std::holds_alternative<from_first>(options.from);
    if (!events) {
        INFO(events.error().message());
        CHECK((!from_first_kept && events.error().code == errc::pruned));
        return;
    }
    sequence_number next = events->next_sequence();
    stream_version version = 0;
    while (const event* e = events->next()) {
        if (options.stream == no_stream_id) {
            CHECK(e->sequence() == next);
            next = e->sequence() + 1;
        } else {
            CHECK((version == 0 || e->version() == version + 1));
            version = e->version();
        }
    }
    const auto end = events->finish();
    INFO((end ? std::string{} : end.error().message()));
    CHECK((end || end.error().code == errc::pruned));
}

}  // namespace

TEST_CASE("a healthy journal never looks damaged to a reader beside its service") {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        INFO("seed " << seed);
        const temporary_directory directory;
        const auto path = directory.path() / "j";
        service acting{path, seed};
        std::mt19937_64 random{~seed};
        for (int round = 0; round < 8; ++round) {
            acting.act();
            const sequence_number published = acting.published();
            const int reader = static_cast<int>(random() % 6);
            INFO("round " << round << ", reader " << reader);
            const interleaving beside{acting, random(), 1 + random() % 12};
            switch (reader) {
                case 0:
                    check_verify(path, false, published);
                    break;
                case 1:
                    check_verify(path, true, published);
                    break;
                case 2:
                    check_rehearsal(path, published);
                    break;
                case 3:
                    CHECK_FALSE(must(inspect(path)).segments.empty());
                    break;
                case 4:
                    CHECK(must(find_stream(path, "orders")) == acting.named);
                    break;
                default:
                    CHECK(read_numbered(path) >= published);
                    break;
            }
        }
    }
}

TEST_CASE("a reader is overtaken between any two of its calls by a writer that starts over") {
    // The first writer dies within its close, so that a segment stays that it had prepared and
    // never used. The second one puts another in its place and fills it.
    struct restart {
        std::filesystem::path path;
        int calls_left;
        std::optional<writer> log{};

        restart(std::filesystem::path directory, int calls)
            : path{std::move(directory)}, calls_left{calls} {
            auto first = must(writer::open(path, by_hand()));
            append_numbered(first, 100);
            must(first.poll());
            const auto kept = path.parent_path() / "prepared";
            std::filesystem::copy_file(segment(path, 1), kept);
            must(first.close());
            std::filesystem::copy_file(kept, segment(path, 1));
        }
        static int before_a_call(void* context, const detail::io_event&) {
            auto& self = *static_cast<restart*>(context);
            // The writer's own calls arrive here, too.
            if (self.calls_left-- != 0)
                return 0;
            self.log = must(writer::open(self.path, by_hand()));
            for (int i = 0; i < 30; ++i) {
                append_numbered(*self.log, 100);
                must(self.log->poll());
            }
            return 0;
        }
    };
    const std::vector<std::pair<std::string, std::function<void(const std::filesystem::path&)>>>
        readers{{"verify", [](const auto& path) { check_verify(path, false, 100); }},
                {"verify, deep", [](const auto& path) { check_verify(path, true, 100); }},
                {"recover, dry run", [](const auto& path) { check_rehearsal(path, 100); }},
                {"inspect", [](const auto& path) { (void)must(inspect(path)); }},
                {"clock reports", [](const auto& path) { (void)must(clock_reports(path)); }},
                {"names", [](const auto& path) { (void)must(stream_names(path)); }},
                {"cursor", [](const auto& path) { CHECK(read_numbered(path) >= 100); }},
                {"cursor at a sequence", [](const auto& path) {
                     CHECK(read_numbered(path, {.from = from_sequence{99}}) >= 1);
                 }}};
    for (const auto& [name, read] : readers) {
        for (int calls = 0;; ++calls) {
            INFO(name << ", before its call " << calls);
            const temporary_directory directory;
            restart acting{directory.path() / "j", calls};
            detail::set_io_hook(&restart::before_a_call, &acting);
            read(acting.path);
            detail::set_io_hook(nullptr, nullptr);
            if (acting.calls_left >= 0) {
                CHECK(calls > 0);
                break;
            }
        }
    }
}

TEST_CASE("a rehearsal finds no segment missing that is replaced between two of its calls") {
    struct replacement {
        std::filesystem::path file;
        std::filesystem::path aside;
        int calls_left;

        static int before_a_call(void* context, const detail::io_event&) {
            auto& self = *static_cast<replacement*>(context);
            --self.calls_left;
            if (self.calls_left == 0)
                std::filesystem::rename(self.file, self.aside);
            if (self.calls_left == -1)
                std::filesystem::rename(self.aside, self.file);
            return 0;
        }
    };
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, by_hand()));
        append_numbered(log, 100);
        must(log.poll());
    }  // dies
    for (int calls = 1;; ++calls) {
        INFO("before call " << calls);
        replacement acting{segment(path, 1), directory.path() / "aside", calls};
        detail::set_io_hook(&replacement::before_a_call, &acting);
        check_rehearsal(path, 100);
        detail::set_io_hook(nullptr, nullptr);
        if (acting.calls_left > 0) {
            CHECK(calls > 2);
            break;
        }
        if (std::filesystem::exists(acting.aside))
            std::filesystem::rename(acting.aside, acting.file);
    }
}

TEST_CASE("a reader beside a service that prunes reads what is left, or is told so") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        INFO("seed " << seed);
        const temporary_directory directory;
        const auto path = directory.path() / "j";
        service acting{path, seed, service::habit::prunes};
        std::mt19937_64 random{~seed};
        for (int round = 0; round < 8; ++round) {
            acting.act();
            const sequence_number published = acting.published();
            const int reader = static_cast<int>(random() % 8);
            INFO("round " << round << ", reader " << reader);
            const interleaving beside{acting, random(), 1 + random() % 12};
            switch (reader) {
                case 0:
                case 1: {
                    const auto report = must(verify(path, {.deep = reader == 1}));
                    for (const finding& found : report.findings)
                        FAIL_CHECK(found.what.message());
                    CHECK(report.next_sequence >= published);
                    break;
                }
                case 2:
                    check_rehearsal(path, published);
                    break;
                case 3:
                    CHECK_FALSE(must(inspect(path)).segments.empty());
                    break;
                case 4:
                    CHECK(must(find_stream(path, "orders")) == acting.named);
                    CHECK(must(stream_names(path)).size() == 1);
                    break;
                case 5:
                    check_read(path, {.stream = acting.named});
                    break;
                case 6:
                    check_read(path, {.from = from_sequence{published / 2}});
                    break;
                default:
                    check_read(path, {});
                    break;
            }
        }
    }
}
