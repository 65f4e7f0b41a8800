;;; probe.el --- Everything a person does with the server, once, in a batch Emacs -*- lexical-binding: t; -*-

;;; Code:

(require 'cl-lib)
(require 'dspi-mode)
(require 'eglot)
(require 'flymake)

(defvar eglot-sync-connect)
(setq eglot-sync-connect 20
      eglot-autoshutdown nil
      eglot-autoreconnect nil
      eglot-confirm-server-initiated-edits nil
      dspi-command (getenv "DSPI_SERVER"))

(defun probe-must (ok what &optional got)
  "Fail with WHAT and GOT unless OK."
  (unless ok
    (princ (format "FAIL %s: %S\n" what got))
    (kill-emacs 1)))

(defun probe-wait (what condition)
  "Wait until CONDITION, named WHAT, holds."
  (let ((end (+ (float-time) 20)) value)
    (while (and (not (setq value (funcall condition))) (< (float-time) end))
      (accept-process-output nil 0.02))
    (probe-must value (concat "not in time: " what) (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))
    value))

(defun probe-at (text)
  "Go to the first TEXT."
  (goto-char (point-min))
  (search-forward text)
  (goto-char (match-beginning 0)))

(defun probe-check ()
  "Ask for diagnostics now, and return them."
  (flymake-start)
  (flymake-diagnostics))

(find-file (getenv "DSPI_FILE"))
(probe-must (eq major-mode 'dspi-mode) "the mode" major-mode)

;; Colours and indentation, without the server.
(font-lock-ensure)
(probe-at "program rag")
(probe-must (eq (get-text-property (point) 'face) 'font-lock-keyword-face) "the colour of a keyword")
(probe-at "question:")
(probe-must (eq (get-text-property (point) 'face) 'font-lock-variable-name-face) "the colour of a field")
(probe-at "Größe")
(probe-must (eq (get-text-property (point) 'face) 'font-lock-string-face) "the colour of a text")
(probe-at "no keyword")
(probe-must (eq (get-text-property (point) 'face) 'font-lock-string-face) "the colour of a heredoc")
(probe-at "a remark")
(probe-must (eq (get-text-property (point) 'face) 'font-lock-comment-face) "the colour of a comment")
(let ((text (buffer-string)))
  (indent-region (point-min) (point-max))
  (probe-must (string= text (buffer-string)) "the indentation" (buffer-string)))
(set-buffer-modified-p nil)

;; Open, diagnose, act.
(apply #'eglot (eglot--guess-contact))
(let ((server (eglot-current-server)))
  (probe-must server "no server")
  (probe-wait "a diagnostic" #'probe-check)
  (let ((found (car (flymake-diagnostics))))
    (probe-must (string= (buffer-substring-no-properties (flymake-diagnostic-beg found) (flymake-diagnostic-end found)) "questoin")
                "the place of the diagnostic" found)
    (let* ((actions (eglot-code-actions (flymake-diagnostic-beg found) (flymake-diagnostic-end found)))
           (fix (cl-some (lambda (a) (plist-get a :edit)) (append actions nil))))
      (probe-must fix "no code action" actions)
      (eglot--apply-workspace-edit fix)
      (probe-must (save-excursion (goto-char (point-min)) (search-forward "[question]" nil t)) "the fix" (buffer-string))))
  (eglot--signal-textDocument/didChange)
  (probe-wait "the diagnostics to go" (lambda () (null (probe-check))))

  ;; Complete, hover, define.
  (probe-at "[question]")
  (forward-char 2)
  (let* ((capf (eglot-completion-at-point))
         (names (all-completions "q" (nth 2 capf))))
    (probe-must (cl-some (lambda (n) (string-prefix-p "question" n)) names) "completion" names))
  (probe-at "predict respond")
  (let ((hover (jsonrpc-request server :textDocument/hover (eglot--TextDocumentPositionParams))))
    (probe-must (string-match-p "predict" (format "%S" hover)) "hover" hover))
  (probe-at "program.rag")
  (forward-char 9)
  (let ((found (xref-backend-definitions 'eglot (xref-backend-identifier-at-point 'eglot))))
    (probe-must (= (xref-location-line (xref-item-location (car found))) 1) "definition" found))

  ;; Rename, format.
  (probe-at "rag {")
  (eglot-rename "search")
  (probe-must (string-match-p "program = program\\.search" (buffer-string)) "rename" (buffer-string))
  (eglot-format-buffer)
  (probe-must (string-match-p "^  predict unused {" (buffer-string)) "formatting" (buffer-string))

  ;; The messages of a step, and a run.
  (probe-at "predict respond")
  (dspi-show-prompt)
  (with-current-buffer "*dspi messages*"
    (probe-must (string-match-p "^\\[system\\]" (buffer-string)) "the messages" (buffer-string)))
  (probe-at "program search")
  (dspi-run "question=\"What is 6 * 7?\"")
  (let ((process (get-buffer-process "*compilation*")))
    (probe-wait "the run" (lambda () (not (process-live-p process))))
    (while (accept-process-output process 0.1))
    (with-current-buffer "*compilation*"
      (probe-must (and (zerop (process-exit-status process)) (string-match-p "^42$" (buffer-string))) "the run" (buffer-string))))
  ;; The files around programs have the same server, and no other .hcl file has it.
  (dolist (case '(("dspi.hcl" "default_modle" "cache") ("own.dspvars" "tome" "tone")))
    (cl-destructuring-bind (name wrong offers) case
      (find-file (expand-file-name name (file-name-directory (getenv "DSPI_FILE"))))
      (probe-must (eq major-mode 'dspi-hcl-mode) (concat "the mode of " name) major-mode)
      (probe-must (string= comment-start "# ") (concat "the comments of " name) comment-start)
      (probe-must (eq (eglot-current-server) server) (concat "the server of " name) (eglot-current-server))
      (erase-buffer)
      (insert wrong " = \"x\"\n")
      (font-lock-ensure)
      (probe-must (eq (get-text-property 1 'face) 'font-lock-variable-name-face) (concat "the colour of " name))
      (eglot--signal-textDocument/didChange)
      (probe-wait (concat "a diagnostic of " name)
                  (lambda ()
                    (let ((found (car (probe-check))))
                      (and found (string= (buffer-substring-no-properties (flymake-diagnostic-beg found) (flymake-diagnostic-end found))
                                          wrong)))))
      (goto-char (point-max))
      (let ((names (all-completions "" (nth 2 (eglot-completion-at-point)))))
        (probe-must (cl-some (lambda (n) (string-prefix-p offers n)) names) (concat "completion in " name) names))))
  (find-file (expand-file-name "my.dspi.hcl" (file-name-directory (getenv "DSPI_FILE"))))
  (probe-must (not (or (eq major-mode 'dspi-hcl-mode) (eglot-current-server))) "another .hcl file" major-mode)

  ;; `eglot-shutdown' would kill what has not ended at once.
  (let ((process (jsonrpc--process server)))
    (jsonrpc-request server :shutdown nil)
    (jsonrpc-notify server :exit nil)
    (probe-wait "the end of the server" (lambda () (not (process-live-p process))))))
(princ (format "emacs %s, eglot: 1 passed, 0 failed\n" emacs-version))
(kill-emacs 0)

;;; probe.el ends here
