;;; dspi-mode.el --- Major mode for dspi, programs made of language-model calls -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages
;; URL: https://github.com/dspi-lang/dspi
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Colours, indentation and an outline for .dsp files, colours and indentation for
;; dspi.hcl and *.dspvars, and the language server `dspi lsp' through eglot for all of
;; them: M-x eglot, or
;;
;;     (add-hook 'dspi-mode-hook #'eglot-ensure)
;;     (add-hook 'dspi-hcl-mode-hook #'eglot-ensure)
;;
;; C-c C-r runs the program at point, C-c C-t the test at point, C-c C-v shows the
;; messages of the step at point.

;;; Code:

(require 'imenu)

(declare-function eglot-current-server "eglot")
(declare-function jsonrpc-request "jsonrpc")
(declare-function eglot--TextDocumentPositionParams "eglot")
(defvar eglot-server-programs)

(defgroup dspi nil "The dspi language." :group 'languages)

(defcustom dspi-command "dspi"
  "The command `dspi': a name on `exec-path', or a file."
  :type 'string)

(defcustom dspi-indent-offset 2
  "Columns of one level of indentation, as `dspi fmt' writes them."
  :type 'integer
  :safe #'integerp)

(defconst dspi--kinds
  '("program" "signature" "type" "enum" "variable" "model" "tool" "retriever" "dataset" "metric"
    "evaluate" "optimize" "constraint" "test" "module" "inputs" "outputs" "state" "next" "repeat"
    "assert" "suggest")
  "Kinds of block that are words of the language; any other is a module.")

(defconst dspi--types
  '("string" "int" "float" "bool" "date" "datetime" "duration" "json" "list" "map" "tuple" "image"
    "audio" "file" "probability" "confidence" "similarity" "embedding" "reasoning_chain"
    "token_usage" "code" "message" "history" "citation" "tool_call" "tool_result" "model" "module")
  "Names of types that are built in.")

(defconst dspi--label "\\(?:[[:space:]]+\\(?:[[:alpha:]_][[:alnum:]_]*\\|\"[^\"\n]*\"\\)\\)")

(defvar dspi-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?_ "w" table)
    (modify-syntax-entry ?# "< b" table)
    (modify-syntax-entry ?\" "\"" table)
    (modify-syntax-entry ?` "\"" table)
    (modify-syntax-entry ?' "." table)
    (modify-syntax-entry ?$ "." table)
    (dolist (c '(?+ ?- ?% ?< ?> ?= ?& ?| ?! ?? ?: ?. ?^))
      (modify-syntax-entry c "." table))
    ;; `//' and `#' end at the line, `/*' at `*/': style b and style a.
    (modify-syntax-entry ?/ ". 124b" table)
    (modify-syntax-entry ?* ". 23" table)
    (modify-syntax-entry ?\n "> b" table)
    table))

(defun dspi--heredoc (start)
  "Make the heredoc that begins at START a string, to its mark."
  (save-excursion
    (goto-char start)
    (when (and (not (nth 8 (save-excursion (syntax-ppss start))))
               (looking-at "<<-?\\([[:alpha:]_][[:alnum:]_]*\\)[ \t\r]*$"))
      (let ((mark (match-string 1)))
        (forward-line 1)
        (when (re-search-forward (concat "^[ \t]*" (regexp-quote mark) "[ \t\r]*$") nil t)
          (put-text-property start (1+ start) 'syntax-table (string-to-syntax "|"))
          (put-text-property (1- (match-end 0)) (match-end 0) 'syntax-table (string-to-syntax "|"))
          (put-text-property start (match-end 0) 'syntax-multiline t))))))

(defconst dspi--syntax-propertize
  (syntax-propertize-rules
   ("<<-?[[:alpha:]_]" (0 (ignore (dspi--heredoc (match-beginning 0)))))
   ;; In backticks a backslash is a backslash.
   ("`[^`]*\\(\\\\\\)`" (1 "."))))

(defconst dspi--font-lock
  `((,(concat "\\_<\\(" (regexp-opt dspi--kinds) "\\)\\_>\\(" dspi--label "*\\)[[:space:]]*{")
     (1 font-lock-keyword-face) (2 font-lock-function-name-face keep))
    ("\\_<\\(variable\\|type\\)[[:space:]]+\\([[:alpha:]_][[:alnum:]_]*\\)[[:space:]]*[:=]"
     (1 font-lock-keyword-face) (2 font-lock-variable-name-face))
    ("\\_<\\(import\\)\\_>[[:space:]]*\"[^\"\n]*\"\\(?:[[:space:]]+\\(as\\)[[:space:]]+\\([[:alpha:]_][[:alnum:]_]*\\)\\)?"
     (1 font-lock-keyword-face) (2 font-lock-keyword-face nil t) (3 font-lock-constant-face nil t))
    ("\\_<\\(let\\)[[:space:]]+\\([[:alpha:]_][[:alnum:]_]*\\)[[:space:]]*="
     (1 font-lock-keyword-face) (2 font-lock-variable-name-face))
    (,(concat "\\_<\\([[:alpha:]_][[:alnum:]_.]*\\)\\(" dspi--label "*\\)[[:space:]]*{")
     (1 font-lock-builtin-face) (2 font-lock-function-name-face keep))
    ("\\_<\\([[:alpha:]_][[:alnum:]_]*\\)[[:space:]]*\\??[[:space:]]*:[^:]" (1 font-lock-variable-name-face))
    ("\\_<\\([[:alpha:]_][[:alnum:]_]*\\)[[:space:]]*=[^=>]" (1 font-lock-variable-name-face))
    ("\\_<\\(true\\|false\\|null\\)\\_>" . font-lock-constant-face)
    ("\\_<\\(and\\|or\\|not\\|in\\|matches\\|contains\\|startsWith\\|endsWith\\)\\_>" . font-lock-keyword-face)
    (,(regexp-opt dspi--types 'symbols) . font-lock-type-face)
    ("\\(\\${\\)[^}\n]*\\(}\\)" (1 font-lock-preprocessor-face prepend) (2 font-lock-preprocessor-face prepend))))

(defconst dspi-hcl--font-lock
  `((,(concat "^[[:space:]]*\\([[:alpha:]_][[:alnum:]_-]*\\)\\(" dspi--label "*\\)[[:space:]]*{")
     (1 font-lock-keyword-face) (2 font-lock-function-name-face keep))
    ("\\_<\\([[:alpha:]_][[:alnum:]_-]*\\)[[:space:]]*=\\(?:[^=>]\\|$\\)" (1 font-lock-variable-name-face))
    ("\\_<\\([[:alpha:]_][[:alnum:]_-]*\\)(" (1 font-lock-function-name-face))
    ("\\_<\\(true\\|false\\|null\\)\\_>" . font-lock-constant-face)
    ("\\(\\${\\)[^}\n]*\\(}\\)" (1 font-lock-preprocessor-face prepend) (2 font-lock-preprocessor-face prepend))))

(defun dspi-indent-line ()
  "Indent this line as `dspi fmt' does: one step for each bracket that is open."
  (interactive)
  (let* ((state (save-excursion (syntax-ppss (line-beginning-position))))
         (open (nth 1 state)))
    (unless (nth 3 state)               ; the text of a heredoc stays
      (let ((column
             (if (not open) 0
               (save-excursion
                 (goto-char open)
                 (back-to-indentation)
                 (current-column))))
            (closes (save-excursion (back-to-indentation) (looking-at "[]})]"))))
        (when (and open (not closes))
          (setq column (+ column dspi-indent-offset)))
        (if (<= (current-column) (current-indentation))
            (indent-line-to column)
          (save-excursion (indent-line-to column)))))))

(defvar dspi-imenu
  `((nil ,(concat "^\\(?:program\\|signature\\|type\\|enum\\|variable\\|model\\|tool\\|retriever\\|dataset\\|metric"
                  "\\|evaluate\\|optimize\\|test\\)[[:space:]]+\\([[:alpha:]_][[:alnum:]_]*\\)") 1)
    ("Steps" ,(concat "^  \\([[:alpha:]_][[:alnum:]_.]*[[:space:]]+[[:alpha:]_][[:alnum:]_]*\\)[[:space:]]*{") 1))
  "What the outline of a file shows.")

(defvar dspi-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-r") #'dspi-run)
    (define-key map (kbd "C-c C-t") #'dspi-test)
    (define-key map (kbd "C-c C-v") #'dspi-show-prompt)
    map))

(defun dspi--edit ()
  "Set up what is the same in programs and in the files around them."
  (setq-local comment-start "# ")
  (setq-local comment-start-skip "\\(?:#+\\|//+\\|/\\*+\\)[[:space:]]*")
  (setq-local comment-end "")
  (setq-local syntax-propertize-function dspi--syntax-propertize)
  (add-hook 'syntax-propertize-extend-region-functions #'syntax-propertize-multiline nil t)
  (setq-local indent-line-function #'dspi-indent-line)
  (setq-local indent-tabs-mode nil)
  (setq-local electric-indent-chars (append "{}[]()" electric-indent-chars)))

;;;###autoload
(define-derived-mode dspi-mode prog-mode "dspi"
  "Major mode for .dsp files."
  (dspi--edit)
  (setq-local font-lock-defaults '(dspi--font-lock))
  (setq-local imenu-generic-expression dspi-imenu))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.dspi?\\'" . dspi-mode))

;;;###autoload
(define-derived-mode dspi-hcl-mode prog-mode "dspi-hcl"
  "Major mode for the settings of a project and values of variables, which are HCL."
  :syntax-table dspi-mode-syntax-table
  (dspi--edit)
  (setq-local font-lock-defaults '(dspi-hcl--font-lock)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\(?:\\`\\|/\\)dspi\\.hcl\\'" . dspi-hcl-mode))
;;;###autoload
(add-to-list 'auto-mode-alist '("\\.dspvars\\'" . dspi-hcl-mode))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               (cons '(dspi-mode dspi-hcl-mode) (lambda (&rest _) (list dspi-command "lsp")))))

;; Running

(defun dspi--block (kind)
  "Return the name of the block of KIND around point, or before it."
  (save-excursion
    (end-of-line)
    (when (re-search-backward (concat "^" kind "[[:space:]]+\"?\\([[:alpha:]_][[:alnum:]_]*\\)") nil t)
      (match-string-no-properties 1))))

(defun dspi--compile (typed &rest arguments)
  "Run the command with ARGUMENTS, then what a person has TYPED for the shell.
What it prints is shown in a buffer."
  (save-buffer)
  (let ((process-connection-type nil))  ; a pipe: progress is for terminals
    (compile (concat (mapconcat #'shell-quote-argument (cons dspi-command arguments) " ") " " typed))))

(defun dspi-run (inputs)
  "Run the program at point with INPUTS as in a shell: question=\"What is it?\"."
  (interactive "sInputs (name=value …): ")
  (dspi--compile inputs "run" buffer-file-name
                 (or (dspi--block "program") (user-error "There is no program here"))))

(defun dspi-test ()
  "Run the test at point, or all tests of the file."
  (interactive)
  (let ((test (dspi--block "test")))
    (apply #'dspi--compile "" "test" buffer-file-name
           (and test (list "--filter" (concat "^" test "$"))))))

(defun dspi-show-prompt ()
  "Show the messages that the step at point sends, with examples for its inputs."
  (interactive)
  (let* ((server (or (eglot-current-server) (user-error "Start the language server first: M-x eglot")))
         (answer (jsonrpc-request server :dspi/renderPrompt (eglot--TextDocumentPositionParams))))
    (with-current-buffer (get-buffer-create "*dspi messages*")
      (let ((inhibit-read-only t))
        (erase-buffer)
        (when (plist-get answer :note)
          (insert (plist-get answer :note) "\n\n"))
        (mapc (lambda (message)
                (insert (propertize (format "[%s]\n" (plist-get message :role)) 'face 'bold)
                        (format "%s\n\n" (plist-get message :content))))
              (plist-get answer :messages)))
      (goto-char (point-min))
      (special-mode)
      (display-buffer (current-buffer)))))

(provide 'dspi-mode)
;;; dspi-mode.el ends here
