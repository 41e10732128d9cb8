#pragma once

/// A tenant: its app registrations, its users and their mailboxes.

#include "tests/support/graphsim/clock.hpp"
#include "tests/support/graphsim/mailbox.hpp"

#include <openssl/evp.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace graphsim {

struct AppSecret {
    std::string value;
    std::optional<Time> expires;
};

struct AppCertificate {
    std::string sha1;  ///< Of the DER form, raw.
    std::string sha256;
    std::shared_ptr<EVP_PKEY> key;
    Time not_after{};
};

/// Throws std::invalid_argument if the text holds no certificate.
AppCertificate certificate_of(std::string_view pem);

struct App {
    std::string id;
    std::vector<AppSecret> secrets;
    std::vector<AppCertificate> certificates;
    std::set<std::string> roles;
    /// userPrincipalNames in lower case; absent: every mailbox.
    std::optional<std::set<std::string>> mailboxes;
};

struct User {
    std::string id;
    std::string name;  ///< userPrincipalName
    std::vector<std::string> proxy_addresses;
    std::unique_ptr<Mailbox> mailbox;
    bool licensed = true;
    bool shared = false;
    bool on_hold = false;
    std::optional<std::uint64_t> quota_bytes;
    std::optional<bool> well_known_names;  ///< Absent: as the option says.
    Time moving_until{};                   ///< Until then the mailbox is being moved.
};

struct Tenant {
    std::string id;
    std::vector<std::string> domains;
    bool source = false;  ///< Nobody may write here: the audit counts who does.
    std::map<std::string, App> apps;
    std::vector<std::unique_ptr<User>> users;

    /// By id or userPrincipalName; nullptr if there is none.
    User* user(std::string_view name_or_id) const;
};

}  // namespace graphsim
