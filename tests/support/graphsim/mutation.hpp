#pragma once

/// People at work in a mailbox while it is being copied: by a seeded schedule on the simulated
/// clock.

#include "tests/support/graphsim/world.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace graphsim {

class Mutation {
public:
    explicit Mutation(World& world) : world_(world) {}

    /// {"mailboxes": [...], "rate": changes a second over all, "seed", "kinds": ["deliver",
    /// "delete", "move", "edit", "flag"], "max": changes}; rate 0 stops. Throws
    /// std::invalid_argument.
    void plan(boost::json::object const& plan);
    /// Does `count` changes now, of the planned kinds.
    void change_now(std::uint64_t count);
    boost::json::object counts() const;

    /// Never ends.
    boost::asio::awaitable<void> run();

private:
    void one_change();
    bool change(Mailbox& box, std::string const& kind);

    World& world_;
    Random random_{1};
    std::vector<std::string> mailboxes_;
    std::vector<std::string> kinds_;
    double rate_ = 0;
    std::uint64_t left_ = 0;
    Time next_{};
    std::map<std::string, std::uint64_t> done_;
};

}  // namespace graphsim
