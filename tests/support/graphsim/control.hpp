#pragma once

/// The test's own door: POST /<command> with a JSON object, a JSON value back. Status 400 with
/// {"error": text} for what can't be done.

#include "tests/support/graphsim/http_message.hpp"
#include "tests/support/graphsim/mutation.hpp"
#include "tests/support/graphsim/world.hpp"

#include <boost/json.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace graphsim {

class Control {
public:
    explicit Control(World& world);

    Response answer(std::string_view path, std::string_view body);
    boost::asio::awaitable<void> run_mutation() { return mutation_.run(); }

private:
    using Command = std::function<json::value(World&, json::object const&)>;

    json::value handle(std::string const& command, json::object const& arguments);

    World& world_;
    Mutation mutation_;
    std::map<std::string, Command> commands_;
};

// The commands, by what they are for. Each throws std::exception for wrong arguments.
json::value create_tenant(World& world, json::object const& arguments);
json::value set_tenant(World& world, json::object const& arguments);
json::value create_app(World& world, json::object const& arguments);
json::value create_user(World& world, json::object const& arguments);
json::value set_user(World& world, json::object const& arguments);
json::value create_folder(World& world, json::object const& arguments);
json::value remove_folder(World& world, json::object const& arguments);
json::value create_items(World& world, json::object const& arguments);
json::value change_item(World& world, json::object const& arguments);
json::value seed_tenant(World& world, json::object const& arguments);
json::value dump_mailbox(World& world, json::object const& arguments);
json::value counters(World& world, json::object const& arguments);
json::value request_log(World& world, json::object const& arguments);
json::value issued_secrets(World& world, json::object const& arguments);

/// A member as text, number or truth, or what stands for it if it is absent.
std::string text_of(json::object const& arguments, std::string_view name,
                    std::string_view otherwise = "");
double number_of(json::object const& arguments, std::string_view name, double otherwise);
bool truth_of(json::object const& arguments, std::string_view name, bool otherwise);
std::vector<std::string> texts_of(json::object const& arguments, std::string_view name);
/// "inbox", an id, or a path of display names from below the top; throws std::invalid_argument.
FolderKey folder_argument(Mailbox const& box, json::value const& value);

}  // namespace graphsim
