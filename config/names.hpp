#pragma once

/// How the configuration file spells the values of its enumerations, in one place for reading,
/// problems and reports.

#include "config/types.hpp"

#include <array>
#include <string_view>

namespace mailferry::config {

template <class E>
struct Named {
    std::string_view name;
    E value;
};

inline constexpr std::array<Named<Protocol>, 5> protocol_names{{
    {"imap", Protocol::imap},
    {"dav", Protocol::dav},
    {"ews", Protocol::ews},
    {"graph", Protocol::graph},
    {"jmap", Protocol::jmap},
}};

inline constexpr std::array<Named<Tls>, 3> tls_names{{
    {"implicit", Tls::implicit},
    {"starttls", Tls::starttls},
    {"none", Tls::none},
}};

inline constexpr std::array<Named<Auth>, 6> auth_names{{
    {"plain", Auth::plain},
    {"login-master", Auth::login_master},
    {"xoauth2", Auth::xoauth2},
    {"user", Auth::user},
    {"app-secret", Auth::app_secret},
    {"app-certificate", Auth::app_certificate},
}};

inline constexpr std::array<Named<ItemKind>, 4> kind_names{{
    {"mail", ItemKind::mail},
    {"calendar", ItemKind::calendar},
    {"contacts", ItemKind::contacts},
    {"tasks", ItemKind::tasks},
}};

inline constexpr std::array<Named<SpoolMode>, 2> spool_mode_names{{
    {"always", SpoolMode::always},
    {"auto", SpoolMode::automatic},
}};

template <class E, std::size_t count>
constexpr std::string_view name_in(std::array<Named<E>, count> const& names, E value) {
    for (auto const& named : names)
        if (named.value == value) return named.name;
    return "unknown";
}

constexpr std::string_view to_string(Protocol value) { return name_in(protocol_names, value); }
constexpr std::string_view to_string(Tls value) { return name_in(tls_names, value); }
constexpr std::string_view to_string(Auth value) { return name_in(auth_names, value); }
constexpr std::string_view to_string(ItemKind value) { return name_in(kind_names, value); }
constexpr std::string_view to_string(SpoolMode value) { return name_in(spool_mode_names, value); }

}  // namespace mailferry::config
