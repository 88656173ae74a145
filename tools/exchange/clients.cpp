#include "clients.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace exchange {
namespace {

using std::chrono::steady_clock;

class session : public std::enable_shared_from_this<session> {
  public:
    session(gateway& at, const client_plan& plan, session_id id)
        : at_{at},
          flow_{plan.seed, plan.sessions},
          id_{id},
          last_{plan.commands / plan.sessions + (id < plan.commands % plan.sessions ? 1 : 0)},
          taken_{at.state().sessions[id]},
          again_{std::min(plan.sent_again, taken_)},
          day_ends_ns_{plan.day_ends_ns},
          most_in_flight_{plan.in_flight},
          room_{plan.in_flight} {}

    void run() {
        report_.sent_again = again_;
        const std::uint64_t last = std::max(last_, taken_);
        for (std::uint64_t number = taken_ - again_ + 1; number <= last; ++number) {
            room_.acquire();
            if (auto sent = submit(number); !sent) {
                room_.release();
                fail(std::move(sent.error()));
                break;
            }
        }
        for (std::ptrdiff_t left = most_in_flight_; left > 0; --left)
            room_.acquire();
    }

    // After run().
    [[nodiscard]] const client_report& report() const { return report_; }
    [[nodiscard]] const std::optional<pawl::error>& failure() const { return failure_; }

  private:
    pawl::result<void> submit(std::uint64_t number) {
        command c = flow_.at(id_, number);
        if (c.asks == command::action::limit && number % 2 == 0)
            c.expires_ns = day_ends_ns_;
        return at_.submit(c, [self = shared_from_this(),
                              begin = steady_clock::now()](const gateway::outcome& outcome) {
            self->note(outcome, steady_clock::now() - begin);
            self->room_.release();
        });
    }

    // On the gateway's thread, which delivers one outcome after the other.
    void note(const gateway::outcome& outcome, steady_clock::duration took) {
        report_.answer_ns.record(static_cast<std::uint64_t>(took.count()));
        if (outcome)
            ++(outcome->repeated ? report_.repeated : report_.accepted);
        else if (const auto* why = std::get_if<reason>(&outcome.error()))
            ++report_.refused[static_cast<std::size_t>(*why)];
        else
            fail(std::get<pawl::error>(outcome.error()));
    }

    void fail(pawl::error why) {
        const std::scoped_lock one{failing_};
        if (!failure_)
            failure_ = std::move(why);
    }

    gateway& at_;
    order_flow flow_;
    session_id id_;
    std::uint64_t last_;   // to send
    std::uint64_t taken_;  // in the journal when it was opened
    std::uint64_t again_;
    std::uint64_t day_ends_ns_;
    std::ptrdiff_t most_in_flight_;
    std::counting_semaphore<> room_;
    client_report report_;
    std::mutex failing_;
    std::optional<pawl::error> failure_;
};

}  // namespace

void client_report::add(const client_report& other) noexcept {
    sent_again += other.sent_again;
    accepted += other.accepted;
    repeated += other.repeated;
    for (std::size_t n = 0; n < refused.size(); ++n)
        refused[n] += other.refused[n];
    answer_ns.merge(other.answer_ns);
}

pawl::result<client_report> run_clients(gateway& at, const client_plan& plan) {
    std::vector<std::shared_ptr<session>> sessions;
    sessions.reserve(plan.sessions);
    for (session_id id = 0; id < plan.sessions; ++id)
        sessions.push_back(std::make_shared<session>(at, plan, id));
    {
        std::vector<std::jthread> threads;
        threads.reserve(plan.sessions);
        for (const auto& each : sessions)
            threads.emplace_back([&each] { each->run(); });
    }
    client_report all;
    for (const auto& each : sessions) {
        if (each->failure())
            return std::unexpected(*each->failure());
        all.add(each->report());
    }
    return all;
}

}  // namespace exchange
