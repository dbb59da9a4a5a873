/// What a role's config file says about its pages, and how a program serves them beside its session with the broker.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <stop_token>

#include "adapters/desk/desk.h"
#include "adapters/web/handover.h"
#include "adapters/web/server.h"
#include "adapters/web/site.h"

namespace flagpost::web {

/// Settings of the pages, all texts; relative paths are relative to the config file.
///
///     listen          = "127.0.0.1:8443"    # port 0: one of the system's choice
///     site            = "https://flagpost.norham.example"  # as browsers see it; default: what it listens on
///     web_certificate = "pki/web.crt"       # with web_key; without them only this machine can reach the pages
///     web_key         = "pki/web.key"
///     people          = "people.toml"       # who may sign in
///     organisation    = "Norham County Council"
///     help            = "01632 960100, Monday to Friday 8am to 6pm"
///     force_desk      = "Norham police, 01632 960101, at any hour"
///     handling        = "Official, sensitive. Keep in the child's record."
///     practice        = true                # says on every page that the children are not real
///     proxy_header    = "Remote-User"       # a reverse proxy signs people in; with proxy_secret, a private file
///     proxy_secret    = "proxy.secret"
const std::vector<std::string>& setting_names();

struct Settings {
    SiteSettings site;
    ListenSettings listen;
    std::filesystem::path people;
    std::filesystem::path journal;  // beside the data file
};

/// "address:port". Throws std::runtime_error where it is not; `whose` begins its message.
void set_address(ListenSettings& listen, const std::string& text, const std::string& whose);

/// Throws std::runtime_error for what is missing or cannot be.
Settings read_settings(const client::Config& config, const std::filesystem::path& config_file);

/// Serves the site's pages in threads of its own and does `meanwhile` in this one, until a stop is requested or either ends.
/// Says "pages http://..." on `out` once both can begin. Throws what ends either.
void serve_pages(Site& site, const ListenSettings& listen, const std::stop_token& stop, std::ostream& out,
                 const std::function<void(std::stop_token over)>& meanwhile);

/// Throws std::runtime_error where another program serves the data file: to be asked before anything is said to be ready, or
/// mended as if nobody were at work.
void require_alone(const client::Config& config);

/// Serves the site's pages in threads of its own and the session with the broker in this one, likewise. `more`: at every turn of
/// this thread. The log is told of who chooses a password, and of what somebody changes in the file of people by hand.
void serve_beside(desk::Desk& desk, Site& site, People& people, const Settings& settings, Handover& handover,
                  const std::stop_token& stop, std::ostream& out, const desk::Desk::Turn& more = {});

/// 20 random characters in groups of four: about 100 bits, without those that look alike.
std::string make_password(Random& random);

struct Added {
    std::string password, code_secret;  // said once; only a hash of the first is kept
};
/// Writes somebody into the file of people with a fresh password, which serves once, and second step. `by`: who did so, for the
/// broker's log, which is told in the same step. `fault`: what is wrong with somebody beside everybody else; empty: nothing.
/// Throws std::runtime_error.
Added add_person(
    const client::Config& config, const std::filesystem::path& config_file, Person person,
    const std::set<std::string>& roles, const std::string& by,
    const std::function<std::string(const Person&, const std::vector<Person>& everybody)>& fault = {});
/// The account of this machine that runs the program: who did what a terminal was told to do, unless somebody is named.
std::string own_account();
/// Says both on `out`, as text for whoever hands them over or as JSON.
void say_added(const std::string& name, const Added& added, bool json, std::ostream& out);

}  // namespace flagpost::web
