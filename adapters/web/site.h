/// The frame around every page: who may see what, sessions, forms that cannot be forged, and what stands at top and bottom.
///
/// A site has no socket: it turns a Request into a Response. server.h listens. How to add a page: README.md.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "adapters/web/http.h"
#include "adapters/web/journal.h"
#include "adapters/web/people.h"
#include "adapters/web/sessions.h"
#include "adapters/web/template.h"

namespace flagpost::web {

struct SiteSettings {
    std::string origin;        // "https://flagpost.norham.example": what forms must come from
    std::string organisation;  // "Norham County Council"
    std::string help;          // "01632 960100, Monday to Friday 8am to 6pm"
    std::string force_desk;    // whom to phone when cut off: "Norham police, 01632 960101, at any hour"
    std::string handling;      // the last line of what is printed
    bool practice = false;     // the children are not real
    std::map<std::string, std::string>
        role_words{};  // of roles that are not called as they are written: "dsl", "DSL"
    /// Where a reverse proxy signs people in: the header that carries the name, believed only beside this secret.
    std::string proxy_header;
    std::string proxy_secret;
};

/// What the status line says.
struct Connection {
    bool connected = false;
    std::optional<Instant> heard;  // from the broker, last; nothing if never
};

/// One request of somebody signed in.
struct Visit {
    const Request& request;
    const Person& person;
    const Session& session;
    Instant now;
    std::map<std::string, std::string> parts;  // of the path: "{ref}"
    bool restored = false;  // `request` has the fields of a form that came after its session had ended

    const std::string& part(const std::string& name) const { return parts.at(name); }
};

struct NavigationItem {
    std::string href, text;  // "/inbox", "Inbox (5)"
};

/// What a page gives the frame. `view` fills the template, which begins with {{> top}} and ends with {{> bottom}}.
struct Page {
    std::string name;   // of the template
    std::string title;  // of the window: never a child's name
    View view{};
    int status = 200;
    std::string section{};                 // href of the navigation item it belongs to
    bool section_itself = false;           // it is that item's own page
    std::string back_href{}, back_text{};  // none: no link back
    std::string success{};                 // the result of an action, in words
    std::string reference{};               // printed below
    bool watching = false;                 // it loads itself anew: see is_watching
};

inline constexpr auto watch_every = std::chrono::seconds{60};

/// Whether a wall screen asks, "?watch=60": such a page loads itself anew, and never lengthens a session.
bool is_watching(const Request& request);

class Site {
public:
    using Handler = std::function<Response(const Visit&)>;

    Site(SiteSettings settings, People& people, Clock& clock, Random& random);

    /// Pages, by path: "/notices/{ref}". Whoever has none of the roles gets the page of what does not exist.
    void get(const std::string& pattern, std::set<std::string> roles, Handler handler);
    /// Forms. The handler sees only those that came from a page of ours in this session.
    void post(const std::string& pattern, std::set<std::string> roles, Handler handler);

    /// Forms with files (multipart), which are also larger.
    void post_file(const std::string& pattern, std::set<std::string> roles, Handler handler);
    /// Whether a form for this path may have files.
    bool takes_files(const std::string& method, const std::string& path) const;
    /// Whether a large form is worth reading before it is looked at: somebody signed in may post it. Judges by the headers alone.
    bool may_send_files(const Request& request);

    Templates& templates() { return templates_; }
    void set_navigation(std::function<std::vector<NavigationItem>(const Person&, Instant)> navigation);
    void set_connection(std::function<Connection()> connection);
    /// What the status line says of a desk that works without the broker, in place of how the connection stands.
    void set_standing(std::function<std::string(Instant now)> standing);
    const SiteSettings& settings() const { return settings_; }
    /// At once, whatever the person does.
    void end_sessions_of(const std::string& person) { sessions_.close_all_of(person); }
    /// Where sign-ins are noted; it lives as long as this. Without one nobody is told when they signed in before.
    void set_journal(Journal& journal) { journal_ = &journal; }
    std::optional<Instant> last_signed_in(const std::string& person) const;
    /// Writes a person who chose another password into the file, as a change that the log is told of. False: it was not done.
    /// Usually the file alone.
    void set_keeping(std::function<bool(const Person&)> keep) { keep_ = std::move(keep); }
    /// Before anything is handled: where it listens is known only once it does.
    void set_origin(std::string origin) { settings_.origin = std::move(origin); }

    Response handle(const Request& request);

    Response page(const Visit& visit, const Page& page);
    /// "deputy", "DSL".
    std::string role_in_words(const std::string& role) const;
    /// "Page not found", for what does not exist and for what is not yours alike.
    Response not_found(const Visit& visit);
    /// A page that says one thing: 409 with who was first, for example.
    Response message(const Visit& visit, int status, const std::string& heading, const std::string& words);
    /// "Sorry, there is a problem."
    Response problem(const Visit* visit);

    /// A form token for this session, other bytes each time: compressed pages give nothing away.
    std::string token(const Session& session);
    /// A fresh value for the field `once`.
    std::string once();
    /// What the server does not read, or cannot, in words for whoever sent it; says nothing of the request.
    Response turned_away(int status);

private:
    struct Route {
        std::string method;
        std::vector<std::string> pattern;
        std::set<std::string> roles;
        Handler handler;
        bool files = false;
    };

    Response answer(const Request& request);
    std::optional<Response> open_to_all(const Request& request, Instant now);
    std::optional<Response> through_proxy(const Request& request, Instant now);
    std::optional<Session> living(const Request& request, Instant now);
    Response routed(const Request& request, const Person& person, const Session& session, Instant now);
    const Route* find(const std::string& method, const std::string& path,
                      std::map<std::string, std::string>& parts) const;

    Response sign_in_page(const std::string& name, const std::string& error, int status,
                          const std::string& before = {});
    Response code_page(const Session& session, const std::string& error, int status);
    Response sign_in(const Request& request, Instant now);
    Response code(const Request& request, const Session& session, Instant now);
    Response signed_in(const Person& person, Instant now);
    Response new_password_page(const Session& session, const std::string& error);
    Response new_password(const Request& request, const Person& person, const Session& session, Instant now);
    Response sign_out(const Request& request);
    Response ended(const Request& request, Instant now);
    bool keep_form(const Request& request, Instant now);
    std::string page_of_form(const std::string& path) const;
    std::string what_ended(const Request& request, Instant now);
    std::optional<Request> restored(const Request& request, const Person& person, Instant now);
    Response plain(const std::string& name, const std::string& title, int status, View view);

    bool from_our_page(const Request& request) const;
    bool token_fits(const Session& session, const std::string& given) const;
    bool refused_form(const Request& request, const Session& session) const;
    std::string home(const Person& person, Instant now) const;
    View frame(const std::string& title) const;

    SiteSettings settings_;
    People& people_;
    Clock& clock_;
    Random& random_;
    Sessions sessions_;
    Throttle throttle_;
    Templates templates_;
    std::vector<Route> routes_;
    std::function<std::vector<NavigationItem>(const Person&, Instant)> navigation_;
    std::function<Connection()> connection_;
    std::function<std::string(Instant)> standing_;  // none: the desk has a connection
    std::function<bool(const Person&)> keep_;
    Journal* journal_ = nullptr;
};

}  // namespace flagpost::web
