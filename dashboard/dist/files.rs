// Made by dashboard/build.mjs.
&[
    File { path: "/assets/chunk-G27RDQLH.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-G27RDQLH.js") },
    File { path: "/assets/chunk-GOG633MT.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-GOG633MT.js") },
    File { path: "/assets/chunk-H7QJVSRW.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-H7QJVSRW.js") },
    File { path: "/assets/chunk-IPPZRKXQ.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-IPPZRKXQ.js") },
    File { path: "/assets/chunk-NL6BPKRU.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-NL6BPKRU.js") },
    File { path: "/assets/chunk-YTCJIWIS.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-YTCJIWIS.js") },
    File { path: "/assets/main-32RO5XTX.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/main-32RO5XTX.js") },
    File { path: "/assets/main-CWDBXBWE.css", content_type: "text/css; charset=utf-8", bytes: include_bytes!("assets/main-CWDBXBWE.css") },
    File { path: "/assets/qr-IVC7CRRE.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/qr-IVC7CRRE.js") },
    File { path: "/assets/session-6SF4WMSB.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/session-6SF4WMSB.js") },
    File { path: "/assets/working-4VBP3RXV.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/working-4VBP3RXV.js") },
    File { path: "/favicon.svg", content_type: "image/svg+xml", bytes: include_bytes!("favicon.svg") },
    File { path: "/", content_type: "text/html; charset=utf-8", bytes: include_bytes!("index.html") },
    File { path: "/licences.txt", content_type: "text/plain; charset=utf-8", bytes: include_bytes!("licences.txt") },
]
