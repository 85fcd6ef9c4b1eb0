// Made by dashboard/build.mjs.
&[
    File { path: "/assets/chunk-ASXZZNM2.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-ASXZZNM2.js") },
    File { path: "/assets/chunk-C4UYD5DG.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-C4UYD5DG.js") },
    File { path: "/assets/chunk-CUDKR6WP.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-CUDKR6WP.js") },
    File { path: "/assets/chunk-DWNBHD2D.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-DWNBHD2D.js") },
    File { path: "/assets/chunk-HVGHOGER.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-HVGHOGER.js") },
    File { path: "/assets/chunk-Q346IM6T.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-Q346IM6T.js") },
    File { path: "/assets/main-64YXR42T.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/main-64YXR42T.js") },
    File { path: "/assets/main-CWDBXBWE.css", content_type: "text/css; charset=utf-8", bytes: include_bytes!("assets/main-CWDBXBWE.css") },
    File { path: "/assets/qr-7CGRR6EP.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/qr-7CGRR6EP.js") },
    File { path: "/assets/session-FSEUHKMN.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/session-FSEUHKMN.js") },
    File { path: "/assets/working-7NATOXDR.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/working-7NATOXDR.js") },
    File { path: "/favicon.svg", content_type: "image/svg+xml", bytes: include_bytes!("favicon.svg") },
    File { path: "/", content_type: "text/html; charset=utf-8", bytes: include_bytes!("index.html") },
    File { path: "/licences.txt", content_type: "text/plain; charset=utf-8", bytes: include_bytes!("licences.txt") },
]
