// Made by dashboard/build.mjs.
&[
    File { path: "/assets/chunk-AZXSJANB.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-AZXSJANB.js") },
    File { path: "/assets/chunk-DWNBHD2D.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-DWNBHD2D.js") },
    File { path: "/assets/chunk-I4GNM73Q.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-I4GNM73Q.js") },
    File { path: "/assets/chunk-N7GF4GLA.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-N7GF4GLA.js") },
    File { path: "/assets/chunk-Q346IM6T.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-Q346IM6T.js") },
    File { path: "/assets/chunk-WSL7TVCO.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-WSL7TVCO.js") },
    File { path: "/assets/main-52Y3IVVY.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/main-52Y3IVVY.js") },
    File { path: "/assets/main-UWPRU2K3.css", content_type: "text/css; charset=utf-8", bytes: include_bytes!("assets/main-UWPRU2K3.css") },
    File { path: "/assets/qr-7CGRR6EP.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/qr-7CGRR6EP.js") },
    File { path: "/assets/session-7IMFITXU.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/session-7IMFITXU.js") },
    File { path: "/assets/working-OGBTS5M5.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/working-OGBTS5M5.js") },
    File { path: "/favicon.svg", content_type: "image/svg+xml", bytes: include_bytes!("favicon.svg") },
    File { path: "/", content_type: "text/html; charset=utf-8", bytes: include_bytes!("index.html") },
    File { path: "/licences.txt", content_type: "text/plain; charset=utf-8", bytes: include_bytes!("licences.txt") },
]
