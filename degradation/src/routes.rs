//! Which class a request belongs to.
//!
//! The method alone does not tell: a search may be a POST, every gRPC call is one, and nothing in
//! a request says how much it matters. So routes are listed, once, by path and where needed by
//! method. What is not listed is critical; what may write counts as a write.

use http::Method;

use crate::class::{Access, Class, Criticality};
use crate::pattern::Pattern;

/// Never shed: what tells others how the service does must be reachable when it does badly.
const EXEMPT: [&str; 9] = [
    "/livez",
    "/readyz",
    "/health",
    "/status",
    "/status.json",
    "/status/{*rest}",
    "/metrics",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
];

/// The classes of a service's routes.
///
/// A path is matched as axum writes it: `{name}` stands for one segment, a last `{*name}` for one
/// or more. The first listed route that matches decides; gRPC paths are `/package.Service/Method`.
///
/// ```
/// use degradation::{Access, Class, Criticality, Routes};
/// use http::Method;
///
/// let routes = Routes::new()
///     .route("/reports/{id}", Criticality::Sheddable)
///     .method(Method::POST, "/search", Class::read(Criticality::SheddablePlus))
///     .route("/shop.Cart/Show", Class::read(Criticality::CriticalPlus));
///
/// let class = routes.class(&Method::POST, "/search");
/// assert_eq!(class, Class::read(Criticality::SheddablePlus));
/// assert_eq!(routes.class(&Method::POST, "/shop.Cart/Empty").access, Access::Write);
/// ```
#[derive(Clone, Debug)]
pub struct Routes {
    listed: Vec<Route>,
    unlisted: Criticality,
    exempt: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Route {
    method: Option<Method>,
    pattern: Pattern,
    class: RouteClass,
}

/// What a route says of its requests: all of their class, or their criticality alone. Made from
/// [`Class`] or [`Criticality`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteClass {
    criticality: Criticality,
    access: Option<Access>,
}

impl From<Criticality> for RouteClass {
    /// The method tells whether it writes.
    fn from(criticality: Criticality) -> Self {
        Self { criticality, access: None }
    }
}

impl From<Class> for RouteClass {
    fn from(class: Class) -> Self {
        Self { criticality: class.criticality, access: Some(class.access) }
    }
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

impl Routes {
    /// No route listed. The endpoints of this crate, `/metrics` and gRPC's health service are
    /// exempt.
    #[must_use]
    pub fn new() -> Self {
        let exempt = EXEMPT.map(Pattern::new).to_vec();
        Self { listed: Vec::new(), unlisted: Criticality::default(), exempt }
    }

    /// Lists a path with any method.
    #[must_use]
    pub fn route(self, path: &str, class: impl Into<RouteClass>) -> Self {
        self.list(None, path, class.into())
    }

    /// Lists a path with one method. GET is for HEAD too, which the same handler answers in axum, unless
    /// the path is listed with HEAD before.
    #[must_use]
    pub fn method(self, method: Method, path: &str, class: impl Into<RouteClass>) -> Self {
        self.list(Some(method), path, class.into())
    }

    fn list(mut self, method: Option<Method>, path: &str, class: RouteClass) -> Self {
        self.listed.push(Route { method, pattern: Pattern::new(path), class });
        self
    }

    /// How much unlisted routes matter (critical).
    #[must_use]
    pub const fn unlisted(mut self, criticality: Criticality) -> Self {
        self.unlisted = criticality;
        self
    }

    /// Never sheds this path.
    #[must_use]
    pub fn exempt(mut self, path: &str) -> Self {
        self.exempt.push(Pattern::new(path));
        self
    }

    /// The class of a request.
    #[must_use]
    pub fn class(&self, method: &Method, path: &str) -> Class {
        let matches = |route: &&Route| {
            route.method.as_ref().is_none_or(|listed| speaks_for(listed, method))
                && route.pattern.matches(path)
        };
        let found = self.listed.iter().find(matches).map(|route| route.class);
        let RouteClass { criticality, access } = found.unwrap_or_else(|| self.unlisted.into());
        Class { criticality, access: access.unwrap_or_else(|| Access::of(method)) }
    }

    /// Whether a path is never shed.
    #[must_use]
    pub fn is_exempt(&self, path: &str) -> bool {
        self.exempt.iter().any(|pattern| pattern.matches(path))
    }
}

fn speaks_for(listed: &Method, method: &Method) -> bool {
    listed == method || (listed == Method::GET && method == Method::HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlisted_route_is_critical_and_its_method_tells_whether_it_writes() {
        let routes = Routes::new();
        assert_eq!(routes.class(&Method::GET, "/any"), Class::read(Criticality::Critical));
        assert_eq!(routes.class(&Method::POST, "/any"), Class::write(Criticality::Critical));
    }

    #[test]
    fn an_unlisted_grpc_method_counts_as_a_write() {
        let routes = Routes::new().route("/shop.Cart/Show", Class::read(Criticality::Critical));
        assert_eq!(routes.class(&Method::POST, "/shop.Cart/Show").access, Access::Read);
        assert_eq!(routes.class(&Method::POST, "/shop.Cart/Fill").access, Access::Write);
    }

    #[test]
    fn the_first_listed_route_that_matches_decides() {
        let routes = Routes::new()
            .method(Method::POST, "/items/{id}", Criticality::CriticalPlus)
            .route("/items/{id}", Criticality::Sheddable);
        let criticality = |method| routes.class(&method, "/items/7").criticality;
        assert_eq!(criticality(Method::POST), Criticality::CriticalPlus);
        assert_eq!(criticality(Method::GET), Criticality::Sheddable);
    }

    #[test]
    fn head_is_of_the_class_of_get_unless_it_is_listed_before() {
        let get = |routes: Routes| routes.method(Method::GET, "/photo", Criticality::Sheddable);
        let head = |routes: Routes| routes.method(Method::HEAD, "/photo", Criticality::Critical);
        let of = |routes: Routes| routes.class(&Method::HEAD, "/photo").criticality;
        assert_eq!(of(get(Routes::new())), Criticality::Sheddable);
        assert_eq!(of(get(head(Routes::new()))), Criticality::Critical);
        let put = get(Routes::new()).class(&Method::PUT, "/photo");
        assert_eq!(put, Class::write(Criticality::Critical), "GET speaks for no other");
    }

    #[test]
    fn health_and_metrics_are_exempt_and_so_is_what_the_user_adds() {
        let routes = Routes::new().exempt("/admin/{*rest}");
        for path in ["/livez", "/readyz", "/health", "/status", "/status/events", "/metrics"] {
            assert!(routes.is_exempt(path), "{path}");
        }
        assert!(routes.is_exempt("/admin/breakers/redis"));
        assert!(!routes.is_exempt("/admin"));
        assert!(!routes.is_exempt("/healthy"));
    }
}
