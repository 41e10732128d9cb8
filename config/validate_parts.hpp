#pragma once

/// The parts of validate.cpp, a file each.

#include "config/problem_list.hpp"
#include "config/types.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace mailferry::config {

/// `now` is the day that certificates are judged by.
void validate_tenant(Tenant const& tenant, std::chrono::sys_seconds now, ProblemList& problems);

/// Where app registrations sign in: authority, tenant_id, https_proxy.
void validate_sign_in(Tenant const& tenant, std::string const& label, ProblemList& problems);
/// What only tenants with protocol = "graph" have; `label` begins each message.
void validate_graph(Tenant const& tenant, std::string const& label, ProblemList& problems);
/// The id of an app registration.
void validate_client_id(Admin const& admin, std::string const& label, ProblemList& problems);
/// Certificate and key of an app registration: readable, of one pair, and valid at `now`.
void validate_certificate(Admin const& admin, std::string const& label,
                          std::chrono::sys_seconds now, ProblemList& problems);

/// <keys>_credential or <keys>_file: there, and readable by nobody else.
void validate_secret(SecretSource const& source, std::string const& what, std::string_view keys,
                     int line, ProblemList& problems);

/// Readable regular file, or a problem that begins with `what`.
void validate_file(std::filesystem::path const& file, std::string const& what, int line,
                   ProblemList& problems);

}  // namespace mailferry::config
