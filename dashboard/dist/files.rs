// Made by dashboard/build.mjs.
&[
    File { path: "/assets/chunk-CMNEOQHD.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-CMNEOQHD.js") },
    File { path: "/assets/chunk-DWNBHD2D.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-DWNBHD2D.js") },
    File { path: "/assets/chunk-L7QC6RSL.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-L7QC6RSL.js") },
    File { path: "/assets/chunk-NMQO7DPF.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-NMQO7DPF.js") },
    File { path: "/assets/chunk-Q346IM6T.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-Q346IM6T.js") },
    File { path: "/assets/chunk-ZJSTGSOK.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-ZJSTGSOK.js") },
    File { path: "/assets/main-7GCD54BZ.css", content_type: "text/css; charset=utf-8", bytes: include_bytes!("assets/main-7GCD54BZ.css") },
    File { path: "/assets/main-RZ5SAL52.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/main-RZ5SAL52.js") },
    File { path: "/assets/qr-7CGRR6EP.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/qr-7CGRR6EP.js") },
    File { path: "/assets/session-74BH7UIS.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/session-74BH7UIS.js") },
    File { path: "/assets/working-QGF5K6XN.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/working-QGF5K6XN.js") },
    File { path: "/favicon.svg", content_type: "image/svg+xml", bytes: include_bytes!("favicon.svg") },
    File { path: "/", content_type: "text/html; charset=utf-8", bytes: include_bytes!("index.html") },
    File { path: "/licences.txt", content_type: "text/plain; charset=utf-8", bytes: include_bytes!("licences.txt") },
]
