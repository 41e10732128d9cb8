#pragma once

/// The mail systems that the contract is tried on: how a connector reaches one, and a door of the
/// test's own behind the connector's back.

#include "tests/contract/relay.hpp"
#include "transport/session.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mailferry::contract {

enum class Side { source, target };

/// What a test may ask of a connector beyond its defaults.
struct Temper {
    std::uint32_t attempts_max = 4;  ///< Of one request, where the connector repeats requests.
};

/// One server, reached by a way of its own and not through the relay. Items are known by their
/// received date, which no two items of a test share. Calls block, and throw std::runtime_error
/// for what can't be done.
class Service {
public:
    virtual ~Service() = default;

    /// The relay leads to the server for every connector of this service.
    virtual std::unique_ptr<transport::Connector> connector(asio::any_io_executor executor,
                                                            Side side, Relay const& relay,
                                                            Temper temper) = 0;
    virtual std::optional<asio::ip::tcp::endpoint> upstream() const = 0;

    virtual std::string mailbox(Side side) const = 0;
    /// Another one of the same tenant.
    virtual std::string other_mailbox(Side side) const = 0;
    virtual std::string unknown_mailbox(Side side) const = 0;

    /// Folders stand at the top of the mailbox.
    virtual void add_folder(Side side, std::string const& name) = 0;
    virtual void remove_folder(Side side, std::string const& name) = 0;
    virtual void add_item(Side side, std::string const& folder, std::int64_t received,
                          std::size_t bytes) = 0;
    virtual void remove_item(Side side, std::string const& folder, std::int64_t received) = 0;
    /// Sets a mark on it, as its reader would.
    virtual void change_item(Side side, std::string const& folder, std::int64_t received) = 0;
    /// In ascending order.
    virtual std::vector<std::int64_t> items_in(Side side, std::string const& folder) = 0;

    /// As far as the server may do so.
    virtual void forget_marks(Side side) = 0;

    /// From now on the server has no time for whoever wants to open the mailbox.
    virtual void refuse_opening(Side side) = 0;
    /// From now on requests of a session that is open are put off.
    virtual void put_off(Side side, Relay& relay) = 0;
    virtual void relent(Relay& relay) = 0;
    /// Whether a request that is put off names its pause.
    virtual bool tells_pause() const = 0;
};

/// `name`: imap or graph; nothing if the test was started without such a server. Reads the file
/// that MAILFERRY_CONTRACT names, as tests/integration/test_contract.py writes it.
std::unique_ptr<Service> make_service(std::string const& name);
std::unique_ptr<Service> make_imap_service(boost::json::object const& settings);
std::unique_ptr<Service> make_graph_service(boost::json::object const& settings);

}  // namespace mailferry::contract
